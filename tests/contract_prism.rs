//! The client and the rehearsal, judged by Prism: a program that nobody here wrote, which reads Pinterest's OpenAPI
//! description.
//!
//! Without the description (`PINPRESS_TEST_OPENAPI`, else `../shared/pinterest-openapi-5.23.yaml`) these tests are
//! skipped. The modules are marked as tests so that the lints know their helpers for what they are.

#[cfg(test)]
#[path = "contract_prism/client.rs"]
mod client;
#[cfg(test)]
#[path = "contract_prism/forwarder.rs"]
mod forwarder;
#[cfg(test)]
#[path = "contract_prism/prism.rs"]
mod prism;
#[cfg(test)]
#[path = "contract_prism/rehearsal.rs"]
mod rehearsal;
#[cfg(test)]
#[path = "contract_prism/tokens.rs"]
mod tokens;
