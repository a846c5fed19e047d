//! What the packages' own installation scripts would do, as far as a run needs it. They are never executed: they need
//! privileges and change the system.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::environment::{DATABASE, LIBRARY};
use super::lock::Package;

/// Libraries of which a system may have several and chooses one by a link: the one beside it that we have.
const CHOSEN: [(&str, &str); 2] = [("libblas.so.3", "blas/libblas.so.3"), ("liblapack.so.3", "lapack/liblapack.so.3")];
/// Where packages of the distribution put what R loads.
const SITE: &str = "usr/lib/R/site-library";

pub(super) fn finish_r(tree: &Path, packages: &[Package]) -> io::Result<()> {
    choose_libraries(&tree.join("usr/lib"))?;
    settle_settings(tree)?;
    // Under the usual name, what the system has installed there would show through.
    let site = tree.join(SITE);
    if site.is_dir() { fs::rename(site, tree.join(LIBRARY)) } else { fs::create_dir_all(tree.join(LIBRARY)) }?;
    list_packages(&tree.join(DATABASE), packages)
}

fn choose_libraries(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let folder = entry?.path();
        for (name, chosen) in CHOSEN {
            let link = folder.join(name);
            if folder.join(chosen).exists() && link.symlink_metadata().is_err() {
                symlink(chosen, link)?;
            }
        }
    }
    Ok(())
}

/// A `NAME.ucf` is what `/etc/R/NAME` begins as.
fn settle_settings(tree: &Path) -> io::Result<()> {
    let folder = tree.join("usr/lib/R/etc");
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        let target = path.file_stem().map(|name| tree.join("etc/R").join(name));
        if let (Some("ucf"), Some(target)) = (path.extension().and_then(|one| one.to_str()), target)
            && target.symlink_metadata().is_err()
        {
            fs::create_dir_all(tree.join("etc/R"))?;
            fs::copy(path, target)?;
        }
    }
    Ok(())
}

/// Some packages of R ask dpkg at run time which version of another package is installed.
fn list_packages(folder: &Path, packages: &[Package]) -> io::Result<()> {
    fs::create_dir_all(folder.join("info"))?;
    fs::create_dir_all(folder.join("updates"))?;
    let records: String = packages
        .iter()
        .map(|one| {
            format!(
                "Package: {}\nStatus: install ok installed\nMaintainer: the distribution\nArchitecture: {}\n\
                 Version: {}\nDescription: in the tree of an environment\n\n",
                one.name, one.arch, one.version
            )
        })
        .collect();
    fs::write(folder.join("status"), records)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_chosen_and_the_site_library_has_a_name_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        for path in ["usr/lib/some-arch/blas", "usr/lib/R/site-library/glue"] {
            fs::create_dir_all(at(path)).unwrap();
        }
        fs::write(at("usr/lib/some-arch/blas/libblas.so.3"), "blas").unwrap();
        fs::create_dir_all(at("usr/lib/R/etc")).unwrap();
        fs::write(at("usr/lib/R/etc/Renviron.ucf"), "R_A=1\n").unwrap();
        let package = Package {
            name: "libjs-a".into(),
            version: "3.6.1+dfsg-1".into(),
            arch: "all".into(),
            sha256: String::new(),
            size: 1,
            unpacked: 1,
        };
        finish_r(folder.path(), &[package]).unwrap();
        assert_eq!(fs::read_to_string(at("etc/R/Renviron")).unwrap(), "R_A=1\n");
        let status = fs::read_to_string(at("usr/lib/R/cloister-dpkg/status")).unwrap();
        assert!(status.contains("Package: libjs-a\nStatus: install ok installed\n"), "{status}");
        assert!(status.contains("\nVersion: 3.6.1+dfsg-1\n"), "{status}");
        assert_eq!(fs::read_to_string(at("usr/lib/some-arch/libblas.so.3")).unwrap(), "blas");
        assert!(at("usr/lib/some-arch/liblapack.so.3").symlink_metadata().is_err());
        assert!(at("usr/lib/R/cloister-library/glue").is_dir() && !at("usr/lib/R/site-library").exists());
    }
}
