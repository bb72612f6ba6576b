//! The process of a run that the page has asked for: a program comes in on standard input, events go out. The server holds
//! it to its limits; it ends when its server does.

use blo::document::Document;
use blo::output::explain::{self, Explained};
use blo_engine::model;
use blo_engine::stop::StopReason;
use std::io::{self, BufRead};
use std::path::{Path, PathBuf};

use super::events::{self, How, Part};
use super::{comparison, solved};
use crate::args::ModelArguments;
use crate::clock::{self, Watched};
use crate::exit::{Exit, Failure};
use crate::input::model::{Model, folders, judge};
use crate::output::console::Console;
use crate::play::{CANCEL, Job, What};

/// Columns of the texts.
pub(super) const PAGE: usize = 80;

/// What every part of a run needs.
pub(super) struct Task {
    pub(super) job: Job,
    pub(super) arguments: ModelArguments,
    pub(super) model: Model,
    /// The limit on time and the wish to cancel, of the whole process.
    pub(super) watched: Watched,
}

impl Task {
    /// Seconds that are left.
    pub(super) fn left(&self) -> f64 {
        (self.job.seconds - clock::elapsed()).max(0.0)
    }

    /// How the process ends where it was told to.
    pub(super) fn told(&self) -> Option<How> {
        match self.watched.token().reason()? {
            StopReason::TimeLimit => Some(How::Limit),
            StopReason::Interrupted => Some(How::Cancelled),
            StopReason::Enough => None,
        }
    }

    /// A sentence for the end of what was told to end.
    pub(super) fn why(&self, how: How) -> String {
        match how {
            How::Limit => format!(
                "stopped after {} s, the limit of this page: `blo play --max-time` allows more",
                self.job.seconds
            ),
            _ => "cancelled; what was reached is shown".to_owned(),
        }
    }
}

/// Reads the job and does it. Whatever comes of it, the last event says how it has ended.
pub(super) fn run(console: &mut Console) -> Result<Exit, Failure> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    let Ok(job) = serde_json::from_str::<Job>(&line) else {
        return Err(Failure::Usage {
            message: "--job: standard input holds no job".to_owned(),
            help: Some("`blo play` starts such processes itself".to_owned()),
        });
    };
    listen();
    let limit = job.seconds;
    let watched = clock::watch(0.0, limit, true);
    let arguments = ModelArguments {
        file: PathBuf::from(&job.name),
        define: Vec::new(),
        data_dir: Vec::new(),
        within: Some(PathBuf::from(&job.root)),
        limit: vec![("memory".to_owned(), job.bytes)],
    };
    let path = Some(Path::new(&job.root).join(&job.name));
    let document = Document { name: job.name.clone(), path, text: job.text.clone() };
    let Ok(model) = judge(document, &arguments, console) else {
        events::end(How::Refused, "the program has mistakes, so nothing has run");
        return Ok(Exit::Error);
    };
    let task = Task { job, arguments, model, watched };
    let done = match task.job.what {
        What::Solve | What::Landscape => solved::run(&task, console),
        What::Compare => comparison::run(&task, console),
        What::Explain => Ok(explained(&task)),
    };
    let (how, message) = match done {
        Ok(end) => end,
        Err(_) => match task.told() {
            Some(how) => (how, "stopped before the first iteration".to_owned()),
            None => (How::Refused, "nothing has run; the messages say why".to_owned()),
        },
    };
    events::end(how, &message);
    Ok(Exit::Done)
}

/// Waits for the server's word beside the run. A server that is gone leaves nobody to run for.
fn listen() {
    let wait = || {
        for line in io::stdin().lock().lines() {
            match line {
                Ok(line) if line == CANCEL => clock::press(),
                Ok(_) => {}
                Err(_) => break,
            }
        }
        std::process::exit(Exit::Interrupted as i32)
    };
    // without the thread the server ends the process in its own way
    let _ = std::thread::Builder::new().name("blo play job".to_owned()).spawn(wait);
}

fn explained(task: &Task) -> (How, String) {
    let model = &task.model;
    // what is missing is for the run to say
    let data = model::bind(&model.problem, &folders(&model.document, &task.arguments), 0).ok();
    let explained = Explained { document: &model.document, ast: &model.ast, problem: &model.problem };
    events::text(Part::Explain, &explain::explanation(explained, data.as_ref(), PAGE));
    (How::Done, "explained".to_owned())
}
