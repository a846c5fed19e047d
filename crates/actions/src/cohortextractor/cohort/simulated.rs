//! Dummy patients with events, the same for all dates of a study, and what the study finds in them (10.2).
//! A report beside the log says how near the expectations were met.

use study::simulate::{self, Request, Simulation};

use crate::Context;
use crate::fault::{Exit, Fault, FaultCode};
use crate::workspace::Workspace;

use super::{Job, Sound, answered, tables};

/// Share of patients with untidy rows.
const MESS: f64 = 0.05;

pub(crate) fn simulation(
    sound: &Sound,
    jobs: &[Job],
    patients: u64,
    seed: Option<u64>,
    context: &mut Context<'_>,
) -> Result<Simulation, Vec<Fault>> {
    let request = Request {
        patients,
        seed: seed.unwrap_or(study::expectations::SEED),
        index_dates: jobs.iter().rev().filter_map(|job| job.date).collect(),
        today: context.today,
        mess: MESS,
    };
    let made = simulate::simulate(&sound.study, &sound.recording, &request)
        .map_err(|error| vec![Fault::new(FaultCode::Study("SD211"), Exit::Unreadable, error.to_string())])?;
    super::super::record::told(made.lints(), &sound.recording, Exit::Unreadable, context);
    Ok(made)
}

/// The patients as tables, and how many of them are in the population.
pub(crate) fn store(
    sound: &Sound,
    jobs: &[Job],
    patients: u64,
    seed: Option<u64>,
    context: &mut Context<'_>,
) -> Result<(simulate::Store, u64), Vec<Fault>> {
    let simulation = simulation(sound, jobs, patients, seed, context)?;
    Ok((simulation.store(), simulation.inside()))
}

pub(crate) fn prepare(
    sound: &Sound,
    jobs: Vec<Job>,
    patients: u64,
    seed: Option<u64>,
    workspace: &Workspace,
    context: &mut Context<'_>,
) -> Result<Vec<(Job, cohorts::Memory)>, Vec<Fault>> {
    let simulation = simulation(sound, &jobs, patients, seed, context)?;
    let mut tables = simulation.tables();
    tables::add_files(&sound.study, &sound.recording, &mut tables, workspace)?;
    let mut made = Vec::with_capacity(jobs.len());
    for job in jobs {
        let date = job.index_date(sound);
        let answer = simulation.answer_over(&tables, date).map_err(|fault| vec![tables::of_run(&fault)])?;
        let source = answered::source(&sound.study, &answer).map_err(|fault| vec![fault])?;
        made.push((job, source));
    }
    Ok(made)
}
