//! Any text as a rule set: what parses can be written out and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pinpress_probe::Spec;

fuzz_target!(|text: &str| {
    let Ok(spec) = Spec::parse(text, "fuzzed") else { return };
    match toml::to_string(&spec) {
        Ok(written) => match Spec::parse(&written, "again") {
            Ok(again) => assert_eq!(spec, again),
            Err(error) => panic!("{error}\n{written}"),
        },
        Err(error) => panic!("{error}: {spec:?}"),
    }
});
