//! What an attempt aims at: marked files, listeners and sockets of the host, set up by the test and real.
//! Everything is readable and reachable for the user who attempts, so that only the sandbox can stand in the way.

use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use serde_json::{Map, Value, json};

use crate::rig::{ORDINARY, Rig, Who, is_root};

pub struct World {
    pub home: tempfile::TempDir,
    /// In every file that nobody inside may read.
    pub marker: String,
    pub targets: Map<String, Value>,
    process: Option<Child>,
    /// Held for as long as the world lasts.
    _held: Vec<Box<dyn std::any::Any>>,
}

/// The address of this machine that others would use, without sending anything.
fn own_address() -> Option<Ipv4Addr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    let chosen = socket.connect((Ipv4Addr::new(203, 0, 113, 1), 9)).and_then(|()| socket.local_addr());
    if let Ok(std::net::SocketAddr::V4(address)) = chosen
        && !address.ip().is_loopback()
    {
        return Some(*address.ip());
    }
    // Without a route: any address that the kernel calls local.
    let table = fs::read_to_string("/proc/net/fib_trie").ok()?;
    let lines: Vec<&str> = table.lines().collect();
    let local = lines.windows(2).filter(|pair| pair[1].contains("/32 host LOCAL"));
    local
        .filter_map(|pair| pair[0].trim().trim_start_matches("|-- ").parse().ok())
        .find(|ip: &Ipv4Addr| !ip.is_loopback())
}

impl World {
    pub fn of(who: Who) -> Self {
        let home = tempfile::Builder::new().prefix("world-").tempdir().unwrap();
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let marker = format!("marked-{}", home.path().file_name().unwrap().to_str().unwrap());
        let mut world = Self { home, marker, targets: Map::new(), process: None, _held: Vec::new() };
        world.files(who);
        world.sockets();
        world.own(who);
        world.process(who);
        world
    }

    /// A process of the same user on the host.
    fn process(&mut self, who: Who) {
        let mut child = who.command(&["sleep".into(), "600".into()]);
        let child = child.env("MARKED", &self.marker).current_dir("/").spawn().unwrap();
        self.targets.insert("process".into(), json!(child.id()));
        self.process = Some(child);
    }

    /// Whether that process still is as it was.
    pub fn process_lives(&self) -> bool {
        let words = |child: &Child| fs::read(format!("/proc/{}/cmdline", child.id())).unwrap_or_default();
        self.process.as_ref().is_some_and(|child| words(child).starts_with(b"sleep"))
    }

    fn write(&self, path: &str, text: &str) -> PathBuf {
        let file = self.home.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
        file
    }

    fn files(&mut self, who: Who) {
        let mut files = Map::new();
        for (name, path) in [
            ("home", "home/notes.txt"),
            ("another workspace", "runs/other/workspace/output/rows.csv"),
            ("its view", "view/metadata/manifest.json"),
            ("volume", "volumes/0123/workspace/input.csv"),
            ("object store", "objects/ab/abcdef"),
            ("credential", "home/database-url"),
        ] {
            files.insert(name.to_owned(), json!(self.write(path, &self.marker)));
        }
        if who == Who::Root {
            let mut file = tempfile::Builder::new().prefix("marked-").tempfile_in("/root").unwrap();
            file.write_all(self.marker.as_bytes()).unwrap();
            // Only the sandbox may refuse it, not the owner's permissions.
            file.as_file().set_permissions(fs::Permissions::from_mode(0o644)).unwrap();
            files.insert("home of root".to_owned(), json!(file.path()));
            self._held.push(Box::new(file));
        }
        self.targets.insert("files".into(), files.into());
        // Anybody may write there, so that the owner's permissions do not stand in for the sandbox.
        let data = self.write("tree/lib/data.txt", "as it was\n");
        fs::set_permissions(data.parent().unwrap(), fs::Permissions::from_mode(0o777)).unwrap();
        fs::set_permissions(&data, fs::Permissions::from_mode(0o666)).unwrap();
        self.targets.insert("tree".into(), json!(self.home.path().join("tree")));
        let pipe = self.home.path().join("pipe");
        assert!(Command::new("mkfifo").args(["-m", "666"]).arg(&pipe).status().unwrap().success());
        // Open for both, so that a writer never waits for a reader.
        let reader = fs::OpenOptions::new().read(true).write(true).open(&pipe).unwrap();
        self._held.push(Box::new(reader));
        self.targets.insert("pipe".into(), json!(pipe));
        self.targets.insert("home".into(), json!(self.home.path()));
    }

    /// Programs that would gain something if their bits counted. Root only.
    pub fn plant(&self) {
        let bin = self.home.path().join("tree/bin");
        fs::create_dir_all(&bin).unwrap();
        let script = "cp /usr/bin/id id-set-uid; cp /usr/bin/id id-set-gid; cp /bin/cat cat-with-capabilities; chown 0:0 *; \
                      chmod 4755 id-set-uid; chmod 2755 id-set-gid; setcap cap_net_raw,cap_sys_admin+ep cat-with-capabilities";
        let mut command = Command::new("sh");
        command.args(["-ec", script]).current_dir(&bin).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        assert!(command.status().unwrap().success(), "setcap (package libcap2-bin) is needed");
    }

    fn sockets(&mut self) {
        let four = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
        let six = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).unwrap();
        let port = four.local_addr().unwrap().port();
        let own = own_address().expect("this machine has no address of its own: row 8 cannot be shown on it");
        self.targets.insert("loopback".into(), json!(["127.0.0.1", port]));
        self.targets.insert("own address".into(), json!([own.to_string(), port]));
        self.targets.insert("loopback six".into(), json!(["::1", six.local_addr().unwrap().port()]));
        let name = format!("{}-abstract", self.marker);
        let nameless = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        self.targets.insert("abstract".into(), json!(name));
        let path = self.home.path().join("engine.sock");
        let service = UnixListener::bind(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
        self.targets.insert("socket".into(), json!(path));
        self._held.extend([
            Box::new(four) as Box<dyn std::any::Any>,
            Box::new(six),
            Box::new(nameless),
            Box::new(service),
        ]);
    }

    fn own(&self, who: Who) {
        if who == Who::Ordinary && is_root() {
            own(self.home.path());
        }
    }

    /// The text with `{marker}` and `{home}` in it replaced.
    pub fn fill(&self, text: &str) -> String {
        text.replace("{marker}", &self.marker).replace("{home}", &self.home.path().display().to_string())
    }

    /// The marker stands nowhere in what the run leaves: log, report, every file it made.
    #[track_caller]
    pub fn nowhere(&self, rig: &Rig) {
        let mut waiting = vec![rig.folder().to_owned()];
        while let Some(folder) = waiting.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let kind = entry.file_type().unwrap();
                assert!(!entry.file_name().to_string_lossy().contains(&self.marker), "{}", entry.path().display());
                if kind.is_dir() {
                    waiting.push(entry.path());
                } else if kind.is_file()
                    && entry.file_name() != "targets.json"
                    && entry.metadata().unwrap().len() < 8 << 20
                {
                    let bytes = fs::read(entry.path()).unwrap_or_default();
                    let found = bytes.windows(self.marker.len()).any(|window| window == self.marker.as_bytes());
                    assert!(!found, "the marker is in {}", entry.path().display());
                }
            }
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(child) = &mut self.process {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn own(path: &Path) {
    chown(path, Some(ORDINARY), Some(ORDINARY)).unwrap();
    if path.is_dir() {
        fs::read_dir(path).unwrap().flatten().for_each(|entry| own(&entry.path()));
    }
}
