"""What every study must have: its project.yaml unchanged, the files it names, sound codelists."""
import csv
import hashlib
import json
import re
import shlex

import pytest

from harness import STUDIES, patterns, project

# SHA-256 of the text of each request's own project.yaml (of 001 with its indentation restored).
PROJECTS = {
    "carehomes_mortality": "3a739dfe341586a8a2f192c0eb5de53da469d5f13d67c0598fa1e5488493029c",
    "flucats": "506393da8af8a9722e20f0fcb36c4a150cf564a0da54b991432c20f5350c339d",
    "ons-cis-short-data-report": "77f7a4e45ac191f68f15255f8c29de7c1aac8f293b94d2010e885b6fccc2de6b",
    "opensafely-interactive": "80c67cb51b9b255b00ee589783bffeaab1215c731e513c8e3495482ef39db7e0",
    "pincer-measures": "4d14d4b0c90e6fe178191fb931f66d14015cb77aa45d080690d9ec69dbaea2fc",
}
WITH_CODELISTS = ("carehomes_mortality", "flucats", "pincer-measures")


def test_all_studies_are_listed():
    assert {path.parent.name for path in STUDIES.glob("*/project.yaml")} == set(PROJECTS)


@pytest.mark.parametrize("study", PROJECTS)
def test_project_is_the_requests_own(study):
    content = (STUDIES / study / "project.yaml").read_bytes()
    assert hashlib.sha256(content).hexdigest() == PROJECTS[study]


@pytest.mark.parametrize("study", PROJECTS)
def test_files_named_by_commands_exist_or_are_made(study):
    folder = STUDIES / study
    actions = project(study)["actions"]
    for name, action in actions.items():
        words = shlex.split(action["run"])
        made = [p for need in action.get("needs") or [] for p in patterns(study, need)]
        for word in words[1:]:
            word = word.split("=")[-1].replace("/workspace/", "")
            if re.search(r"\.(py|R|ipynb|sql|csv)$", word) and not word.startswith("output/"):
                assert (folder / word).is_file() or word in made, (name, word)
        if "--study-definition" in words:
            module = words[words.index("--study-definition") + 1]
            assert (folder / "analysis" / (module + ".py")).is_file()


@pytest.mark.parametrize("study", PROJECTS)
def test_every_study_is_described(study):
    text = (STUDIES / study / "README.md").read_text(encoding="utf-8")
    assert "invented" in text
    for name in project(study)["actions"]:
        assert any(part in text for part in (name, name.split("_02q")[0])) or re.search(
            r"_\d$", name
        ), name


@pytest.mark.parametrize("study", WITH_CODELISTS)
def test_codelists_agree_with_their_lists(study):
    folder = STUDIES / study / "codelists"
    ids = (folder / "codelists.txt").read_text().split()
    names = [i.rsplit("/", 1)[0].replace("/", "-") + ".csv" for i in ids]
    text = (folder / "codelists.json").read_text()
    manifest = json.loads(text)
    assert text == json.dumps(manifest, indent=2), "spacing"
    assert list(manifest["files"]) == names
    assert sorted(path.name for path in folder.glob("*.csv")) == sorted(names)
    for identity, name in zip(ids, names):
        content = (folder / name).read_text(encoding="utf-8")
        entry = manifest["files"][name]
        assert list(entry) == ["id", "url", "downloaded_at", "sha"]
        assert entry["id"] == identity
        assert entry["url"] == "https://www.opencodelists.org/codelist/{}/".format(identity)
        joined = "\n".join(content.splitlines()).encode("utf-8")
        assert entry["sha"] == hashlib.sha1(joined).hexdigest(), name


@pytest.mark.parametrize("study", WITH_CODELISTS)
def test_codelists_have_distinct_codes_and_are_used(study):
    folder = STUDIES / study
    for path in (folder / "codelists").glob("*.csv"):
        with path.open(newline="", encoding="utf-8") as stream:
            codes = [row[0] for row in list(csv.reader(stream))[1:]]
        assert codes and len(set(codes)) == len(codes), path.name
        slug = path.stem[len("cloister-demo-") :]
        code = (folder / "analysis/codelists.py").read_text()
        assert slug in code or '"{}"'.format(slug.replace("-", "_")) in code, path.name
