//! The runs. Nothing here waits or touches a file: what has to be done is handed to the caller, which reports back.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gateway_base::clock::{Clock, UnixMs};
use gateway_base::id;
use gateway_onboard::answers::Answers;
use gateway_onboard::facts::Facts;
use gateway_onboard::plan::Plan;
use gateway_onboard::step::Step;
use gateway_onboard::wizard::{Next, Wizard};
use gateway_wire::types::wizard::WizardState;
use serde_json::Value;
use tokio::sync::watch;

/// A run that nobody answers for this long makes room for another: its client may be gone for good.
const IDLE_MS: UnixMs = 30 * 60 * 1000;
/// Runs that are over and whose end nobody has asked for yet.
const KEPT: usize = 8;

/// The runs. Clones share them.
#[derive(Clone)]
pub struct Wizards {
    runs: Arc<Mutex<Vec<Run>>>,
    clock: Clock,
}

struct Run {
    id: String,
    stage: Stage,
    touched: UnixMs,
    over: watch::Sender<bool>,
}

enum Stage {
    Asking { wizard: Box<Wizard>, step_id: String, step: Step },
    Applying,
    Over(Ended),
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// In a word.
    pub state: WizardState,
    /// Why it did not end well.
    pub error: Option<String>,
}

/// What the client is told, or what the caller has to do first.
#[derive(Debug)]
pub enum Turn {
    /// This is asked.
    Ask {
        /// Names it in the answer.
        step_id: String,
        /// The step.
        step: Step,
    },
    /// This has to be done, and [`Wizards::finish`] told how it went.
    Apply(Box<Plan>),
    /// Somebody else is doing it; true means that it is over.
    Wait(watch::Receiver<bool>),
    /// It is over, and forgotten.
    Over(Ended),
}

/// Why a call is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is one already.
    #[error("wizard already running")]
    AlreadyRunning,
    /// There is no such run.
    #[error("wizard not found")]
    NotFound,
    /// It is over.
    #[error("wizard not running")]
    NotRunning,
    /// The answer is for another step.
    #[error("Error: wizard: no pending step")]
    NoPendingStep,
}

impl Wizards {
    /// No runs.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { runs: Arc::default(), clock }
    }

    /// Fails when a run would not be let in.
    pub fn check_free(&self) -> Result<(), Error> {
        let now = self.clock.steady();
        let is_busy = |run: &Run| match run.stage {
            Stage::Asking { .. } => now - run.touched < IDLE_MS,
            Stage::Applying => true,
            Stage::Over(_) => false,
        };
        if self.lock().iter().any(is_busy) { Err(Error::AlreadyRunning) } else { Ok(()) }
    }

    /// Begins a run. Returns its id.
    pub fn start(&self, facts: Facts, answers: Answers) -> Result<(String, Turn), Error> {
        self.check_free()?;
        let mut runs = self.lock();
        runs.retain(|run| matches!(run.stage, Stage::Over(_)));
        let excess = runs.len().saturating_sub(KEPT);
        runs.drain(..excess);
        let id = id::uuid();
        let (stage, turn) = advance(Box::new(Wizard::new(facts, answers)));
        if !matches!(turn, Turn::Over(_)) {
            let (touched, over) = (self.clock.steady(), watch::Sender::new(false));
            runs.push(Run { id: id.clone(), stage, touched, over });
        }
        Ok((id, turn))
    }

    /// Takes an answer, or none, and tells what comes next.
    pub fn next(&self, id: &str, answer: Option<(&str, &Value)>) -> Result<Turn, Error> {
        let mut runs = self.lock();
        let at = runs.iter().position(|run| run.id == id).ok_or(Error::NotFound)?;
        let run = runs.get_mut(at).ok_or(Error::NotFound)?;
        run.touched = self.clock.steady();
        let turn = match (&mut run.stage, answer) {
            (Stage::Over(_), Some(_)) => return Err(Error::NotRunning),
            (Stage::Over(ended), None) => Turn::Over(ended.clone()),
            (Stage::Applying, Some(_)) => return Err(Error::NoPendingStep),
            (Stage::Applying, None) => Turn::Wait(run.over.subscribe()),
            (Stage::Asking { step_id, step, .. }, None) => {
                Turn::Ask { step_id: step_id.clone(), step: step.clone() }
            }
            (Stage::Asking { step_id, .. }, Some((other, _))) if step_id != other => {
                return Err(Error::NoPendingStep);
            }
            (Stage::Asking { wizard, .. }, Some((_, value))) => match wizard.answer(value) {
                // A client that sends nonsense has lost the thread; it begins again.
                Err(why) => Turn::Over(failed(&why)),
                Ok(()) => {
                    let (stage, turn) = advance(wizard.clone());
                    run.stage = stage;
                    turn
                }
            },
        };
        if matches!(turn, Turn::Over(_)) {
            runs.remove(at);
        }
        Ok(turn)
    }

    /// What was to be done is done, or failed. Its end is kept for whoever asks.
    pub fn finish(&self, id: &str, done: Result<(), String>) {
        let mut runs = self.lock();
        let Some(run) = runs.iter_mut().find(|run| run.id == id) else { return };
        run.stage = Stage::Over(match done {
            Ok(()) => Ended { state: WizardState::Done, error: None },
            Err(why) => failed(&why),
        });
        run.over.send_replace(true);
    }

    /// Gives a run up, and forgets it. One that is being carried out can only be waited for.
    pub fn cancel(&self, id: &str) -> Result<Turn, Error> {
        let mut runs = self.lock();
        let at = runs.iter().position(|run| run.id == id).ok_or(Error::NotFound)?;
        let run = runs.get(at).ok_or(Error::NotFound)?;
        let ended = match &run.stage {
            Stage::Applying => return Ok(Turn::Wait(run.over.subscribe())),
            Stage::Over(ended) => ended.clone(),
            Stage::Asking { .. } => cancelled("cancelled"),
        };
        runs.remove(at);
        Ok(Turn::Over(ended))
    }

    /// How a run is going; one that is over is forgotten with that.
    pub fn status(&self, id: &str) -> Result<Ended, Error> {
        let mut runs = self.lock();
        let at = runs.iter().position(|run| run.id == id).ok_or(Error::NotFound)?;
        let run = runs.get(at).ok_or(Error::NotFound)?;
        let Stage::Over(ended) = &run.stage else {
            return Ok(Ended { state: WizardState::Running, error: None });
        };
        let ended = ended.clone();
        runs.remove(at);
        Ok(ended)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Run>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn advance(wizard: Box<Wizard>) -> (Stage, Turn) {
    match wizard.next() {
        Next::Ask(step) => {
            let step_id = id::uuid();
            let turn = Turn::Ask { step_id: step_id.clone(), step: step.clone() };
            (Stage::Asking { wizard, step_id, step }, turn)
        }
        Next::Apply(plan) => (Stage::Applying, Turn::Apply(plan)),
        Next::Cancelled(why) => over(cancelled(why)),
        Next::Failed(why) => over(failed(&why)),
    }
}

fn over(ended: Ended) -> (Stage, Turn) {
    (Stage::Over(ended.clone()), Turn::Over(ended))
}

fn cancelled(why: &str) -> Ended {
    Ended { state: WizardState::Cancelled, error: Some(why.to_owned()) }
}

fn failed(why: &str) -> Ended {
    Ended { state: WizardState::Error, error: Some(format!("Error: {why}")) }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use gateway_base::env::Env;
    use gateway_base::paths::Paths;
    use gateway_base::secret::Secret;
    use gateway_onboard::answers::{Flow, Provider};
    use gateway_onboard::facts::{Around, Host};
    use serde_json::json;

    use super::*;

    fn facts() -> Facts {
        let home = PathBuf::from("/nowhere");
        let state = home.join("state");
        let paths = Paths { config: state.join("clawdbot.json"), home, state, profile: None };
        let (doctor, fresh_token) = ("clawdbot doctor".to_owned(), Secret::new("fresh"));
        Facts::read(
            &paths,
            &Env::default(),
            Around { host: Host::Gateway, serving: None, tailscale: true, doctor, fresh_token },
        )
    }

    /// Answers for a run in which only the two notes at its ends are left.
    fn short() -> Answers {
        Answers { risk: true, flow: Some(Flow::Quick), provider: Some(Provider::Skip), ..Answers::default() }
    }

    fn asked(turn: Turn) -> String {
        let Turn::Ask { step_id, .. } = turn else { panic!("{turn:?}") };
        step_id
    }

    #[test]
    fn a_run_goes_from_step_to_step_to_a_plan() {
        let wizards = Wizards::new(Clock::manual(0));
        let (run, turn) = wizards.start(facts(), short()).expect("free");
        let first = asked(turn);
        assert_eq!(asked(wizards.next(&run, None).expect("again")), first, "the same step is given again");
        assert_eq!(wizards.start(facts(), short()).err(), Some(Error::AlreadyRunning));
        let null = Value::Null;
        let wrong = wizards.next(&run, Some(("other", &null)));
        assert_eq!(wrong.err(), Some(Error::NoPendingStep));
        let second = asked(wizards.next(&run, Some((&first, &null))).expect("taken"));
        assert_eq!(wizards.next(&run, Some((&first, &null))).err(), Some(Error::NoPendingStep));
        let third = asked(wizards.next(&run, Some((&second, &null))).expect("taken"));
        let Turn::Apply(_) = wizards.next(&run, Some((&third, &null))).expect("taken") else {
            panic!("a plan")
        };
        assert_eq!(wizards.status(&run).expect("there").state, WizardState::Running);
        assert_eq!(wizards.next(&run, Some((&third, &null))).err(), Some(Error::NoPendingStep));
        let Turn::Wait(over) = wizards.next(&run, None).expect("waits") else { panic!("waits") };
        assert!(!*over.borrow());
        let Turn::Wait(_) = wizards.cancel(&run).expect("waits") else { panic!("it cannot be stopped now") };
        wizards.finish(&run, Ok(()));
        assert!(*over.borrow());
        assert_eq!(wizards.next(&run, Some((&third, &null))).err(), Some(Error::NotRunning));
        let Turn::Over(ended) = wizards.next(&run, None).expect("over") else { panic!("over") };
        assert_eq!(ended, Ended { state: WizardState::Done, error: None });
        assert_eq!(wizards.next(&run, None).err(), Some(Error::NotFound), "it is forgotten");
    }

    #[test]
    fn what_failed_is_told_once() {
        let wizards = Wizards::new(Clock::manual(0));
        let (run, _) = wizards.start(facts(), short()).expect("free");
        wizards.finish(&run, Err("the disk is full".to_owned()));
        let ended = wizards.status(&run).expect("there");
        assert_eq!(ended.error.as_deref(), Some("Error: the disk is full"));
        assert_eq!(wizards.status(&run).err(), Some(Error::NotFound));
        let (run, turn) = wizards.start(facts(), Answers { provider: None, ..short() }).expect("free");
        let first = asked(turn);
        let second = asked(wizards.next(&run, Some((&first, &Value::Null))).expect("taken"));
        let third = asked(wizards.next(&run, Some((&second, &Value::Null))).expect("taken"));
        let Turn::Over(ended) = wizards.next(&run, Some((&third, &json!("nonsense")))).expect("over") else {
            panic!("an answer that cannot be taken ends it")
        };
        assert_eq!(ended.state, WizardState::Error);
        assert!(wizards.check_free().is_ok());
    }

    #[test]
    fn a_run_that_nobody_answers_makes_room() {
        let clock = Clock::manual(0);
        let wizards = Wizards::new(clock.clone());
        let (old, _) = wizards.start(facts(), short()).expect("free");
        clock.set(IDLE_MS - 1);
        assert_eq!(wizards.check_free(), Err(Error::AlreadyRunning));
        clock.set(IDLE_MS);
        let (new, _) = wizards.start(facts(), short()).expect("room");
        assert_eq!(wizards.next(&old, None).err(), Some(Error::NotFound));
        let Turn::Over(ended) = wizards.cancel(&new).expect("given up") else { panic!("over") };
        assert_eq!((ended.state, ended.error.as_deref()), (WizardState::Cancelled, Some("cancelled")));
        assert_eq!(wizards.cancel(&new).err(), Some(Error::NotFound));
    }

    #[test]
    fn ends_that_nobody_asks_for_do_not_pile_up() {
        let wizards = Wizards::new(Clock::manual(0));
        for _ in 0..100 {
            let (run, _) = wizards.start(facts(), short()).expect("free");
            wizards.finish(&run, Ok(()));
        }
        assert!(wizards.lock().len() <= KEPT + 1);
    }
}
