//! A Slurm of one machine: munge for its credentials, a controller, and a node, all of them on loopback and in a folder
//! of their own. It runs as whoever runs the test, who alone can submit to it.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// After so long something is wrong.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// What has to be installed.
const PROGRAMS: [&str; 6] = ["munged", "slurmctld", "slurmd", "sbatch", "scancel", "sinfo"];

/// A running one; it ends with this.
pub(crate) struct Cluster {
    dir: tempfile::TempDir,
    pub(crate) user: String,
    /// Each after those that it needs.
    daemons: Vec<Child>,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for daemon in self.daemons.iter_mut().rev() {
            // Politely, so that the node ends what it runs.
            drop(Command::new("kill").arg(daemon.id().to_string()).status());
            drop(daemon.wait());
        }
    }
}

/// Where a program is. Those of daemons are not in everybody's PATH.
fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
    folders.map(|folder| folder.join(name)).find(|program| program.is_file())
}

fn said(program: &str, argument: &str) -> String {
    let output = Command::new(program).arg(argument).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

impl Cluster {
    /// `None` where Slurm is not installed, which it says.
    pub(crate) fn start() -> Option<Self> {
        if let Some(missing) = PROGRAMS.iter().find(|name| program(name).is_none()) {
            println!("skipped: no {missing}: `cargo xtask test` installs Slurm and munge where apt is");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for folder in ["spool", "state"] {
            std::fs::create_dir(at(folder)).unwrap();
        }
        let mut key = [0_u8; 128];
        std::io::Read::read_exact(&mut std::fs::File::open("/dev/urandom").unwrap(), &mut key).unwrap();
        std::fs::write(at("munge.key"), key).unwrap();
        let closed = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(at("munge.key"), closed).unwrap();
        let mut cluster = Self { user: said("id", "-un"), daemons: Vec::new(), dir };
        std::fs::write(cluster.at("slurm.conf"), cluster.configuration()).unwrap();
        // Where its folder lies others may write: that is no matter for a test.
        cluster.daemon(
            "munged",
            &[
                "--foreground",
                "--force",
                &cluster.named("--socket", "munge.socket"),
                &cluster.named("--key-file", "munge.key"),
                &cluster.named("--pid-file", "munged.pid"),
                &cluster.named("--seed-file", "munged.seed"),
                &cluster.named("--log-file", "munged.log"),
            ],
        );
        let socket = cluster.at("munge.socket");
        cluster.wait_for(|_| socket.exists());
        let configuration = cluster.at("slurm.conf").display().to_string();
        cluster.daemon("slurmctld", &["-D", "-c", "-f", &configuration]);
        cluster.daemon("slurmd", &["-D", "-f", &configuration]);
        cluster.wait_until_idle();
        Some(cluster)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn named(&self, option: &str, name: &str) -> String {
        format!("{option}={}", self.at(name).display())
    }

    /// The least that it runs with. More processors than there may be, so that tasks run beside each other.
    fn configuration(&self) -> String {
        let (host, user, dir) = (said("hostname", "-s"), &self.user, self.dir.path().display());
        // Free now, and hardly taken by somebody else in the next moment.
        let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [controller, node] = listeners.map(|listener| listener.local_addr().unwrap().port());
        format!(
            "ClusterName=pinpress
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={dir}/munge.socket
CredType=cred/munge
StateSaveLocation={dir}/state
SlurmdSpoolDir={dir}/spool
SlurmctldPidFile={dir}/slurmctld.pid
SlurmdPidFile={dir}/slurmd.pid
SlurmctldLogFile={dir}/slurmctld.log
SlurmdLogFile={dir}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0,sched_interval=1
ReturnToService=2
KillWait=5
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"
        )
    }

    fn daemon(&mut self, name: &str, arguments: &[&str]) {
        let said = std::fs::File::create(self.at(&format!("{name}.out"))).unwrap();
        let mut command = Command::new(program(name).unwrap());
        command.args(arguments).stdin(Stdio::null()).stdout(said.try_clone().unwrap()).stderr(said);
        self.daemons.push(command.spawn().unwrap());
    }

    fn wait_for(&mut self, is: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !is(self) {
            let ended = self.daemons.iter_mut().find_map(|daemon| daemon.try_wait().unwrap());
            assert!(ended.is_none() && begun.elapsed() < PATIENCE, "it does not run ({ended:?}):\n{}", self.logs());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until no task runs.
    pub(crate) fn wait_until_idle(&mut self) {
        self.wait_for(|cluster| {
            let sinfo = cluster.command("sinfo").args(["--noheader", "--format=%t"]).output().unwrap();
            sinfo.stdout.trim_ascii() == b"idle"
        });
    }

    fn logs(&self) -> String {
        let logs = ["munged.out", "slurmctld.out", "slurmctld.log", "slurmd.out", "slurmd.log"];
        let text = |name| std::fs::read_to_string(self.at(name)).unwrap_or_default();
        logs.iter().map(|name| format!("{name}:\n{}\n", text(name))).collect()
    }

    /// A command of Slurm, for this cluster, without what a Slurm around the tests says.
    pub(crate) fn command(&self, name: &str) -> Command {
        let mut command = Command::new(program(name).unwrap());
        for (variable, _) in std::env::vars_os() {
            let text = variable.to_string_lossy();
            if ["SLURM_", "SBATCH_", "PINPRESS_"].iter().any(|prefix| text.starts_with(prefix)) {
                command.env_remove(&variable);
            }
        }
        command.env("SLURM_CONF", self.at("slurm.conf"));
        command
    }

    /// `sbatch` that ends when all tasks have, with what the tasks say in files of `dir`.
    pub(crate) fn sbatch(&self, dir: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
        let mut command = self.command("sbatch");
        command.args(["--wait", "--output=task-%A_%a.log", "--chdir"]).arg(dir).args(arguments).current_dir(dir);
        // Tasks have the variables of who submits them.
        command.env("PINPRESS", env!("CARGO_BIN_EXE_pinpress")).env("XDG_CONFIG_HOME", "/nowhere");
        command.env("PINPRESS_PRESET", "ultrafast").env("PINPRESS_SETTLE", "0");
        command.envs(variables.iter().copied());
        command
    }

    /// What all tasks said.
    pub(crate) fn log(&self, dir: &Path) -> String {
        let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
        let logs = entries.filter(|path| path.extension().is_some_and(|ending| ending == "log"));
        logs.map(|path| std::fs::read_to_string(path).unwrap()).collect()
    }
}
