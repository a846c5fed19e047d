//! Studies that cannot be recorded: `faults/NAME.py`. The first line is `# CODE [KIND] line N: words`, or `no line`; the
//! words must stand in the message or its fix. A second line may set limits (`# limits time=3`).

use std::fs;
use std::path::Path;
use std::time::Duration;

use study::record::{Limits, RecordFault};

use crate::rig::Rig;

struct Expected<'a> {
    code: &'a str,
    kind: Option<&'a str>,
    line: Option<u32>,
    words: &'a str,
}

fn expected(text: &str) -> Option<Expected<'_>> {
    let (place, words) = text.lines().next()?.strip_prefix("# ")?.split_once(": ")?;
    let (before, line) = match place.strip_suffix(" no line") {
        Some(before) => (before, None),
        None => {
            place.rsplit_once(" line ").map_or(place.rsplit_once("line "), Some)?.pipe(|(b, l)| (b, l.parse().ok()))
        }
    };
    let mut parts = before.split_whitespace();
    Some(Expected { code: parts.next()?, kind: parts.next(), line, words })
}

trait Pipe: Sized {
    fn pipe<T>(self, f: impl FnOnce(Self) -> T) -> T {
        f(self)
    }
}
impl<T> Pipe for T {}

fn limits(text: &str) -> Limits {
    let mut limits = Rig::limits();
    let wishes = text.lines().nth(1).and_then(|line| line.strip_prefix("# limits "));
    for wish in wishes.into_iter().flat_map(str::split_whitespace) {
        let (what, value) = wish.split_once('=').unwrap();
        let value: u64 = value.parse().unwrap();
        match what {
            "time" => limits.time = Duration::from_secs(value),
            "cpu" => limits.cpu = Duration::from_secs(value),
            "mebibytes" => limits.memory = value << 20,
            _ => panic!("{wish}"),
        }
    }
    limits
}

fn differences(expected: &Expected<'_>, found: &RecordFault) -> Vec<String> {
    let mut wrong = Vec::new();
    if found.code != expected.code {
        wrong.push(format!("code {}", found.code));
    }
    if expected.kind.is_some_and(|kind| kind != found.kind) {
        wrong.push(format!("kind {}", found.kind));
    }
    let place = found.place();
    if place.map(|place| place.line) != expected.line
        || place.is_some_and(|place| place.file != "analysis/study_definition.py")
    {
        wrong.push(format!("place {place:?}"));
    }
    let said = format!("{}\n{}", found.message, found.fix.as_deref().unwrap_or_default());
    if !said.contains(expected.words) {
        wrong.push(format!("words {said}"));
    }
    wrong
}

fn every_fault(fence: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorder/faults");
    let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.retain(|path| path.extension().is_some_and(|extension| extension == "py"));
    names.sort();
    assert!(names.len() > 40, "{} cases", names.len());
    let rig = Rig::new();
    let mut wrong = Vec::new();
    for path in names {
        let text = fs::read_to_string(&path).unwrap();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let expected = expected(&text).unwrap_or_else(|| panic!("{name}: its first line"));
        // What Python says is the same everywhere; a sandbox matters to how a run ends and what it reaches.
        let fences_matter = expected.line.is_none() || ["SD006", "SD007", "SD009"].contains(&expected.code);
        if fence == "sandbox" && !fences_matter && name != "reads_elsewhere" && name != "raises" {
            continue;
        }
        rig.study(&text);
        for (_, one) in rig.fences(&limits(&text)).into_iter().filter(|(name, _)| *name == fence) {
            match rig.record(&*one) {
                Ok(_) => wrong.push(format!("{name}: was recorded")),
                Err(error) => match error.as_fault() {
                    None => wrong.push(format!("{name}: {error}")),
                    Some(fault) => {
                        let differences = differences(&expected, fault);
                        if !differences.is_empty() {
                            wrong.push(format!("{name}: {}\n{}", differences.join("; "), fault.printed));
                        }
                    }
                },
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_fault_in_a_child() {
    every_fault("child");
}

#[test]
fn every_fault_in_a_sandbox() {
    every_fault("sandbox");
}

/// How a fault reads for people.
#[test]
fn a_fault_is_told_with_its_place_and_fix() {
    let rig = Rig::new();
    rig.study(
        "from cohortextractor import codelist_from_csv\n\n\ndef listed(name):\n    return codelist_from_csv(name, \
         system='ctv3', column='Code')\n\n\nlisted('codelists/list.csv')\n",
    );
    let error = rig.record(&rig.child()).unwrap_err();
    insta::assert_snapshot!(error, @r"
    SD404 analysis/study_definition.py:5: codelists/list.csv has no column 'Code'; its columns are: 'code', 'term'
      called from analysis/study_definition.py:8
      to mend it: mend the list, or the arguments of the call
    ");
}

#[test]
fn what_is_missing_is_said_before_anything_runs() {
    let rig = Rig::new();
    let code = |root: &Path, module: &str| {
        let request = study::record::Request { root, module, params: &[], backend: "expectations" };
        let error = study::record::record(&request, &rig.child()).unwrap_err();
        let fault = error.as_fault().unwrap_or_else(|| panic!("{error}")).clone();
        (fault.code, fault.message, fault.fix.unwrap())
    };
    let (first, message, _) = code(&rig.root(), "study_definition");
    assert_eq!((first.as_str(), message.as_str()), ("SD001", "no study definition found"));
    rig.write("analysis/study_definition_a.py", "");
    rig.write("analysis/study_definition_b.py", "");
    let (second, message, fix) = code(&rig.root(), "study_definition");
    assert_eq!(second, "SD001");
    assert_eq!(message, "there is no study definition analysis/study_definition.py");
    assert_eq!(fix, "name one of these: study_definition_a, study_definition_b");
    fs::remove_dir_all(rig.root().join("codelists")).unwrap();
    let (third, message, _) = code(&rig.root(), "study_definition_a");
    assert_eq!((third.as_str(), message.as_str()), ("SD002", "there is no folder codelists/ here"));
    fs::remove_dir_all(rig.root().join("analysis")).unwrap();
    assert_eq!(code(&rig.root(), "study_definition").0, "SD002");
}

#[test]
fn a_module_without_study_or_measures_is_recorded() {
    let rig = Rig::new();
    let recorded = rig.recorded("x = 1\n");
    let error = recorded.study().unwrap_err();
    insta::assert_snapshot!(error, @r"
    SD004 analysis/study_definition.py defines no study
      to mend it: name it: study = StudyDefinition(...)
    ");
    assert_eq!(recorded.measures().unwrap_err().as_fault().unwrap().code, "SD004");
    let other = rig.recorded("study = 'a text'\nmeasures = []\n");
    assert!(other.study().is_err());
    assert_eq!(other.measures().unwrap(), []);
}

#[test]
fn two_studies_in_one_file_are_a_fault() {
    let rig = Rig::new();
    let text = "from cohortextractor import StudyDefinition, patients\n\n\
        study = StudyDefinition(population=patients.all())\n\
        other = StudyDefinition(population=patients.all())\n";
    let recorded = rig.recorded(text);
    let [fault] = recorded.recording.faults.as_slice() else { panic!("{:?}", recorded.recording.faults) };
    assert_eq!(fault.code, "SD004");
    assert!(fault.message.contains("makes 2 studies (lines 3, 4)"), "{}", fault.message);
    assert_eq!(recorded.recording.sources[fault.src.unwrap().0 as usize].line, 4);
}
