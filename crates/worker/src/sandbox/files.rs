//! Landlock: the only files that the process may open are those of its request.

use std::path::{Path, PathBuf};

use pinpress_media::final_name::folder_of;
use pinpress_media::{LinkMode, Request};
use pinpress_transcode::encoder::may_need_hardware;

/// The files that one request may touch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grants {
    /// Files that may be read.
    pub read: Vec<PathBuf>,
    /// Folders in which files may be read, written, renamed and removed: in serving, private ones that nothing else is
    /// in.
    pub write_in: Vec<PathBuf>,
    /// A file that may become a hard link in one of the folders. The kernel wants it writable here, as it is through
    /// its second name (Landlock's rule that a link gains no rights); so this is granted on request only.
    pub link: Option<PathBuf>,
    /// Folders of devices and of what their drivers are made of, where an encoder may need hardware.
    pub hardware: Vec<PathBuf>,
}

/// Where Linux has what a hardware encoder opens: the devices, what describes them, and the libraries and settings of
/// their drivers, which are loaded when the encoder is opened. Nothing of a person is in them.
const HARDWARE: [&str; 9] = [
    "/dev/dri",
    "/dev/nvidia0",
    "/dev/nvidiactl",
    "/dev/nvidia-uvm",
    "/sys/dev/char",
    "/sys/devices",
    "/usr/lib",
    "/usr/share",
    "/etc/ld.so.cache",
];

impl Grants {
    /// What `request` needs; `links` when it is a fix that may come down to a hard link.
    #[must_use]
    pub fn of(request: &Request, links: bool) -> Self {
        let source = request.source();
        let (folders, link) = match request {
            Request::Fix { output, options, .. } => {
                let link = links && options.link == LinkMode::Hard;
                (vec![folder_of(&PathBuf::from(output)).to_owned()], source.clone().filter(|_| link))
            }
            Request::Cover { options, .. } => {
                let pictures = options.pictures.as_ref().map(|pictures| PathBuf::from(&pictures.folder));
                let sheet = options.contact_sheet.as_ref().map(|sheet| folder_of(&PathBuf::from(sheet)).to_owned());
                (pictures.into_iter().chain(sheet).collect(), None)
            }
            Request::Probe { .. } | Request::Decode { .. } | Request::Plan { .. } | Request::About => {
                (Vec::new(), None)
            }
        };
        let hardware = match request {
            Request::Fix { options, .. } | Request::Plan { options, .. } => may_need_hardware(options.encoder),
            Request::About => true,
            Request::Probe { .. } | Request::Decode { .. } | Request::Cover { .. } => false,
        };
        let hardware = if hardware { HARDWARE.map(PathBuf::from).to_vec() } else { Vec::new() };
        Self { read: source.into_iter().collect(), write_in: folders, link, hardware }
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn apply(_grants: &Grants) -> Option<String> {
    None
}

/// Forbids all other files to the calling process and what it starts. `None` where the kernel has no Landlock.
#[cfg(target_os = "linux")]
pub(super) fn apply(grants: &Grants) -> Option<String> {
    use landlock::{LandlockStatus, RulesetStatus};

    let status = restrict(grants).ok()?;
    let abi = match status.landlock {
        LandlockStatus::Available { effective_abi, .. } => effective_abi as i32,
        _ => return None,
    };
    match status.ruleset {
        RulesetStatus::NotEnforced => None,
        RulesetStatus::PartiallyEnforced | RulesetStatus::FullyEnforced => Some(format!("landlock abi {abi}")),
    }
}

#[cfg(target_os = "linux")]
fn restrict(grants: &Grants) -> Result<landlock::RestrictionStatus, landlock::RulesetError> {
    use landlock::{ABI, Access as _, AccessFs, AccessNet, Ruleset, RulesetAttr as _, Scope};

    // The newest rules that this crate knows; an older kernel applies those it has.
    let newest = ABI::V10;
    let mut rules = Ruleset::default()
        .handle_access(AccessFs::from_all(newest))?
        .handle_access(AccessNet::from_all(newest))?
        .scope(Scope::from_all(newest))?
        .create()?;
    let file = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::Truncate;
    let folder = file | AccessFs::ReadDir | AccessFs::MakeReg | AccessFs::RemoveFile;
    let refer = if grants.link.is_some() { AccessFs::Refer.into() } else { landlock::BitFlags::EMPTY };
    for path in &grants.read {
        rules = allow(rules, path, AccessFs::ReadFile.into())?;
    }
    for path in &grants.write_in {
        rules = allow(rules, path, folder | refer)?;
    }
    for path in &grants.hardware {
        let device = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::IoctlDev;
        let access = match path {
            path if path.starts_with("/dev") && path.is_dir() => device | AccessFs::ReadDir,
            path if path.starts_with("/dev") => device,
            path if path.is_dir() => AccessFs::ReadFile | AccessFs::ReadDir,
            _ => AccessFs::ReadFile.into(),
        };
        rules = allow(rules, path, access)?;
    }
    if let Some(path) = &grants.link {
        rules = allow(rules, path, file)?;
        rules = allow(rules, folder_of(path), refer)?;
    }
    rules.restrict_self()
}

/// Adds a rule. A path that cannot be opened gets none: the request itself then meets the system's reason.
#[cfg(target_os = "linux")]
fn allow(
    rules: landlock::RulesetCreated,
    path: &Path,
    access: landlock::BitFlags<landlock::AccessFs>,
) -> Result<landlock::RulesetCreated, landlock::RulesetError> {
    use landlock::{PathBeneath, PathFd, RulesetCreatedAttr as _};

    match PathFd::new(path) {
        Ok(opened) => rules.add_rule(PathBeneath::new(opened, access)),
        Err(_) => Ok(rules),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pinpress_media::CoverOptions;

    #[test]
    fn a_cover_may_write_in_its_two_folders_and_a_probe_nowhere() {
        let source = Path::new("raw/a.mov");
        let probe = Grants::of(&Request::Probe { source: source.into() }, true);
        assert_eq!(probe, Grants { read: vec![source.to_owned()], ..Grants::default() });

        let options = CoverOptions {
            count: 1,
            at: None,
            pictures: Some(pinpress_media::PictureFiles {
                folder: Path::new("out").into(),
                stem: Path::new("a").into(),
                format: pinpress_media::PictureFormat::Png,
                max_side: None,
            }),
            contact_sheet: Some(Path::new("sheet.jpg").into()),
            overwrite: false,
        };
        let cover = Grants::of(&Request::Cover { source: source.into(), options }, true);
        assert_eq!(cover.write_in, [Path::new("out"), Path::new(".")]);
        assert_eq!(cover.link, None);
    }
}
