//! Pause, maintenance of the database, draining for a restart, and being out of contact: what each keeps from starting
//! and what it stops. Spec jobs.md 6.

use super::Pool;
use crate::StatusCode;
use crate::state::Flag;

/// Why the database may not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Maintenance {
    /// It may.
    #[default]
    Off,
    /// The probe said so, and may take it back.
    Probed,
    /// An operator said so; only an operator takes it back.
    Manual,
}

/// The modes, all of which can hold at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Modes {
    /// Nothing starts; what runs carries on.
    pub paused: bool,
    /// Nothing that reads the database starts or goes on.
    pub maintenance: Maintenance,
    /// Nothing starts or goes on, for a restart of the server.
    pub draining: bool,
    /// The site has been out of contact too long: as paused.
    pub offline: bool,
}

/// Why a running job is stopped and put back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Halt {
    /// The database is in maintenance.
    Maintenance,
    /// The server is to be restarted.
    Reboot,
    /// An operator stopped this attempt; the next one begins at once.
    Operator,
}

impl Halt {
    /// The code that the job goes back with.
    pub fn code(self) -> StatusCode {
        match self {
            Self::Maintenance => StatusCode::WaitingDbMaintenance,
            Self::Reboot => StatusCode::WaitingOnReboot,
            Self::Operator => StatusCode::WaitingOnNewTask,
        }
    }
}

impl Modes {
    /// The flag that pauses.
    pub const PAUSED: &'static str = "paused";
    /// The flag of maintenance: [`Modes::MANUAL`], or what the probe said.
    pub const MAINTENANCE: &'static str = "maintenance";
    /// Its value if an operator set it.
    pub const MANUAL: &'static str = "manual";
    /// The flag of draining.
    pub const DRAINING: &'static str = "draining";
    /// The flag of being out of contact.
    pub const OFFLINE: &'static str = "offline";

    /// All of them.
    pub const FLAGS: [&'static str; 4] = [Self::PAUSED, Self::MAINTENANCE, Self::DRAINING, Self::OFFLINE];

    /// The modes that the state's flags say.
    pub fn of_flags(flags: &[Flag]) -> Self {
        let value = |name| flags.iter().find(|flag| flag.name == name).and_then(|flag| flag.value.as_deref());
        Self {
            paused: value(Self::PAUSED).is_some(),
            maintenance: match value(Self::MAINTENANCE) {
                None => Maintenance::Off,
                Some(Self::MANUAL) => Maintenance::Manual,
                Some(_) => Maintenance::Probed,
            },
            draining: value(Self::DRAINING).is_some(),
            offline: value(Self::OFFLINE).is_some(),
        }
    }

    /// What is told outside of them: one mode, and whether somebody set it by hand.
    pub(crate) fn told(self) -> serde_json::Value {
        let by_hand = |mode: &str| serde_json::json!({ "mode": mode, "kind": "manual" });
        match (self.paused || self.draining, self.offline, self.maintenance) {
            (true, ..) => by_hand("paused"),
            (false, true, _) => serde_json::json!({ "mode": "paused" }),
            (false, false, Maintenance::Manual) => by_hand("db_maintenance"),
            (false, false, Maintenance::Probed) => serde_json::json!({ "mode": "db_maintenance" }),
            (false, false, Maintenance::Off) => serde_json::json!({ "mode": "open" }),
        }
    }

    /// Whether nothing at all may start.
    pub fn is_paused(self) -> bool {
        self.paused || self.draining || self.offline
    }

    /// Whether a job of this pool may start.
    pub fn may_start(self, pool: Pool) -> bool {
        !self.is_paused() && (pool == Pool::Other || self.maintenance == Maintenance::Off)
    }

    /// Why a running job of this pool must stop.
    pub fn halts(self, pool: Pool) -> Option<Halt> {
        if self.draining {
            Some(Halt::Reboot)
        } else if pool == Pool::Db && self.maintenance != Maintenance::Off {
            Some(Halt::Maintenance)
        } else {
            None
        }
    }
}
