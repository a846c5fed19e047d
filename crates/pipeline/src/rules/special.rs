//! Commands with rules of their own: those that read patients (spec project-yaml.md 8, 7.3).
//! Always judged by words.

use super::{Ctx, Draft, OutputDraft, RunDraft};
use crate::expand::{option_values, special};
use crate::fault::{Fault, one_of, quoted};
use crate::{Pattern, PrivacyLevel, SpecialCommand};

/// P601 to P608, P710.
pub(crate) fn judge(ctx: &mut Ctx<'_, '_>, draft: &Draft<'_>) {
    let Some(run) = &draft.run else { return };
    let command = special(&run.words);
    if let Some((_, place)) = &draft.dummy_data_file
        && command != Some(SpecialCommand::GenerateCohort)
    {
        push(
            ctx,
            draft,
            &["dummy_data_file"],
            Fault::new("P710", *place, "`dummy_data_file` is ignored by this command")
                .label("has no effect")
                .help("only `cohortextractor:v1 generate_cohort` reads it; other commands take their own option"),
        );
    }
    match command {
        Some(SpecialCommand::GenerateDataset) => generate_dataset(ctx, draft, run),
        Some(SpecialCommand::GenerateCohort) => generate_cohort(ctx, draft, run),
        Some(SpecialCommand::Sqlrunner) => {
            if let Some((level, place)) = level(draft, PrivacyLevel::ModeratelySensitive) {
                push(
                    ctx,
                    draft,
                    &["outputs", level.as_str()],
                    Fault::new("P605", place, "rows from the database are declared moderately_sensitive")
                        .label("each row may be a patient")
                        .help("declare them `highly_sensitive`, and summarise them in another action"),
                );
            }
        }
        _ => {}
    }
}

fn push(ctx: &mut Ctx<'_, '_>, draft: &Draft<'_>, at: &[&str], fault: Fault) {
    ctx.faults.push(fault.action(&draft.name).at(draft.at(at)));
}

fn level(draft: &Draft<'_>, wanted: PrivacyLevel) -> Option<(PrivacyLevel, crate::source::Range)> {
    draft.levels.iter().find(|(level, _)| *level == wanted).copied()
}

fn generate_dataset(ctx: &mut Ctx<'_, '_>, draft: &Draft<'_>, run: &RunDraft<'_>) {
    for &(level, place) in draft.levels.iter().filter(|(l, _)| *l != PrivacyLevel::HighlySensitive) {
        push(
            ctx,
            draft,
            &["outputs", level.as_str()],
            Fault::new(
                "P601",
                place,
                format!("`{}` writes one row for each patient, which cannot be {level}", run.words[1]),
            )
            .label("only `highly_sensitive` is allowed")
            .help("move these outputs to `highly_sensitive`"),
        );
    }
    let options = option_values(&run.words, "--output");
    let given = match options.as_slice() {
        [(_, value, Some(text))] => (*value, *text),
        [] => {
            push(
                ctx,
                draft,
                &["run"],
                Fault::new("P602", run.places[1], format!("`{}` needs `--output`", run.words[1]))
                    .label("no `--output` in this command")
                    .help(match draft.outputs.first() {
                        Some(first) => format!("add `--output {}`", first.path),
                        None => "add `--output` and the path declared under `outputs`".to_owned(),
                    }),
            );
            return;
        }
        [(at, _, None)] => {
            push(
                ctx,
                draft,
                &["run"],
                Fault::new("P602", run.places[*at], "`--output` has no value")
                    .label("a path must follow")
                    .help("write the path declared under `outputs` after it"),
            );
            return;
        }
        [(first, ..), (second, ..), ..] => {
            push(
                ctx,
                draft,
                &["run"],
                Fault::new("P602", run.places[*second], "`--output` is given more than once")
                    .label("given again")
                    .help("keep one of them")
                    .see(run.places[*first], "the first one"),
            );
            return;
        }
    };
    output_matches(ctx, draft, run, given);
}

/// P603: what the command writes must be what is declared.
fn output_matches(ctx: &mut Ctx<'_, '_>, draft: &Draft<'_>, run: &RunDraft<'_>, (slot, given): (usize, &str)) {
    if draft.outputs.is_empty() {
        return;
    }
    let paths: Vec<&str> = draft.outputs.iter().map(|o| o.path).collect();
    let (fine, expected, usable) = match given.rsplit_once(':') {
        Some((folder, extension)) => {
            let folder = folder.trim_end_matches('/');
            let (head, tail) = (format!("{folder}/"), format!(".{extension}"));
            let fits = |p: &&str| p.len() >= head.len() + tail.len() && p.starts_with(&head) && p.ends_with(&tail);
            (
                paths.iter().all(fits),
                format!("every path as `{folder}/*.{extension}`"),
                format!("{folder}/*.{extension}"),
            )
        }
        None => (paths.contains(&given), "the same path".to_owned(), given.to_owned()),
    };
    if fine {
        return;
    }
    let mut fault = Fault::new(
        "P603",
        run.places[slot],
        format!("`--output` writes {}, which is not what `outputs` declares", quoted(given)),
    )
    .label(format!("expected {expected} under `outputs`"))
    .help(format!(
        "`outputs` has {}; declare {} there, or change `--output`",
        one_of(paths.iter().copied().take(3)),
        quoted(&usable)
    ));
    for output in draft.outputs.iter().take(3) {
        fault = fault.see(output.place, "declared here");
    }
    push(ctx, draft, &["run"], fault);
}

fn generate_cohort(ctx: &mut Ctx<'_, '_>, draft: &Draft<'_>, run: &RunDraft<'_>) {
    if let [_, (second, place), ..] = draft.levels.as_slice() {
        push(
            ctx,
            draft,
            &["outputs", second.as_str()],
            Fault::new("P606", *place, "`generate_cohort` writes one kind of file, but several levels are declared")
                .label("a second level")
                .help("keep only `highly_sensitive`: each file has one row for each patient")
                .see(draft.levels[0].1, "the first level"),
        );
    } else if let Some((level, place)) = level(draft, PrivacyLevel::ModeratelySensitive) {
        push(
            ctx,
            draft,
            &["outputs", level.as_str()],
            Fault::new(
                "P608",
                place,
                "`generate_cohort` writes one row for each patient, declared moderately_sensitive",
            )
            .label("stored as highly_sensitive all the same")
            .help("declare it `highly_sensitive`"),
        );
    }
    let mut folders: Vec<(String, &OutputDraft<'_>)> = Vec::new();
    for output in &draft.outputs {
        let folder = Pattern::new(output.path).parent_folder().to_owned();
        if !folders.iter().any(|(f, _)| *f == folder) {
            folders.push((folder, output));
        }
    }
    let given = option_values(&run.words, "--output-dir");
    match (folders.as_slice(), given.last()) {
        ([_, (_, other), ..], None) => {
            let shown = |f: &str| if f.is_empty() { ".".to_owned() } else { f.to_owned() };
            let names: Vec<String> = folders.iter().take(5).map(|(f, _)| quoted(&shown(f))).collect();
            push(
                ctx,
                draft,
                &["outputs"],
                Fault::new(
                    "P607",
                    other.place,
                    format!("`generate_cohort` writes to one folder, but outputs lie in several: {}", names.join(", ")),
                )
                .label("another folder")
                .help("put all outputs into one folder, or give `--output-dir`")
                .see(folders[0].1.place, "the first folder"),
            );
        }
        ([(folder, _)], Some((_, value, Some(text)))) => {
            let plain = text.trim_start_matches("/workspace/").trim_start_matches("./").trim_end_matches('/');
            let plain = if plain == "." { "" } else { plain };
            if plain != folder {
                let wins = if folder.is_empty() { "." } else { folder };
                push(ctx, draft, &["run"], Fault::new("P604", run.places[*value], format!("`--output-dir` {} differs from the folder of the outputs", quoted(text)))
                    .label(format!("{} is used instead", quoted(wins)))
                    .help("the folder of the declared outputs is always passed on last, and the last one wins: remove the option or change the outputs"));
            }
        }
        _ => {}
    }
}
