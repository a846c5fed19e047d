//! `cloister plan`: what would run, and why. Spec cli.md 6. Writes nothing.

use std::error::Error;

use jobs::explain::{plan_dot, plan_human, plan_json, plan_mermaid, why_human};
use jobs::local::{Judging, Look, code_tree};
use jobs::reusable::Ask;
use pipeline::report::visible;
use pipeline::{ActionName, quote_command};

use crate::args::{Global, Plan, PlanFormat};
use crate::check::settings;
use crate::exit::Exit;
use crate::planning::{self, images, locate, refused, request, sound, view};
use crate::terminal::Terminal;
use crate::{env, project, reusable};

pub(crate) fn plan(args: &Plan, global: &Global, terminal: &Terminal) -> Result<Exit, Box<dyn Error>> {
    if args.why.is_some() && args.format != PlanFormat::Human {
        terminal.error(
            "error: --why tells people; for a program take --format without --why: the reasons stand beside each action",
        );
        return Ok(Exit::Usage);
    }
    let mut found = project::find(args.selection.project_dir.as_deref(), terminal)?;
    planning::dummies(&args.selection, &mut found)?;
    let settings = settings(global, Some(&found.folder), terminal)?;
    let request = request(&args.selection, &settings);
    let ask = if args.resolve { Ask::Always } else { Ask::Never };
    let looked = reusable::look_up(&found, Some(&request.requested), ask, &settings, global, terminal)?;
    let diagnostics = found.diagnostics_for(&request.requested, &looked.registry);
    let Some(project) = sound(&found, &diagnostics, terminal) else { return Ok(Exit::No) };
    let project = &looked.expand(project);
    let reusable = looked.surveyed()?;
    let id = args.request_id;
    let located = locate(project, &env::options(&settings, global, Some(&found.folder), Some(project))?);
    let work = async {
        let look = Look::at(&found.folder).await?;
        let code = code_tree(&look.survey(project)?.tree);
        let images = images(project, &located);
        look.view().judge(&Judging { project, code: &code, images: &images, reusable: &reusable }).await
    };
    let judged = tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)?;
    let plan = jobs::plan::plan(project, &request, &judged.latest).map_err(|bad| refused(&bad, project))?;
    let mut view = view(project, &request, &plan, &judged, &located, id.as_ref());
    if let Some(name) = &args.why {
        return why(&view, name, project, terminal);
    }
    match args.format {
        PlanFormat::Human => {
            terminal.out(&plan_human(&view));
            if args.expand {
                for action in &view.actions {
                    terminal.line(&format!(
                        "{}: {}",
                        visible(action.action.as_str()),
                        visible(&quote_command(&action.command))
                    ));
                }
            }
        }
        PlanFormat::Json => {
            view.diagnostics = diagnostics.iter().filter_map(|d| serde_json::to_value(d).ok()).collect();
            terminal.line(&plan_json(&view).to_string());
        }
        PlanFormat::Mermaid => terminal.out(&plan_mermaid(&view)),
        PlanFormat::Dot => terminal.out(&plan_dot(&view)),
    }
    Ok(Exit::Done)
}

fn why(
    view: &jobs::explain::PlanView,
    name: &str,
    project: &pipeline::Project,
    terminal: &Terminal,
) -> Result<Exit, Box<dyn Error>> {
    let action = ActionName::new(name);
    if project.action(&action).is_none() {
        let name = visible(name);
        return Err(
            format!("error[X103]: `{name}` is not an action of this project\n{}", planning::valid(project)).into()
        );
    }
    match why_human(view, &action) {
        Some(text) => terminal.out(&text),
        None => terminal.line(&format!("{}: this plan does not look at it", visible(name))),
    }
    Ok(Exit::Done)
}
