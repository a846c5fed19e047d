//! The closed sets of words with which a backend answers an order.
//! Spec protocol.md 4.3, 4.4; jobs.md 2, 3, 17.

use crate::shape::codes;

codes!(
    /// Whether a needed job is waited for.
    NeedKind {
        /// It has not finished.
        Waits,
        /// It has.
        Reuses,
    }
);
codes!(
    /// What was decided about an action.
    Decided {
        /// A new job.
        New,
        /// The job there is.
        Keep,
    }
);
codes!(
    /// Rules of planning (jobs.md 3), how up to date kept outputs are, and the components that differ (jobs.md 17).
    ReasonCode {
        /// Its latest job is unfinished.
        AlreadyActive,
        /// It was named.
        Requested,
        /// All needs run again.
        Forced,
        /// An output is missing or damaged.
        OutputMissing,
        /// Out of date.
        Stale,
        /// Its latest job succeeded.
        Succeeded,
        /// Its latest job failed.
        FailedBefore,
        /// It has no job.
        NeverRun,
        /// Kept, and nothing differs.
        UpToDate,
        /// Kept, and code differs that it is not known to read.
        PossiblyStale,
        /// Kept, and there is no record of what made it.
        Unknown,
        /// Other words.
        Command,
        /// Another configuration.
        Config,
        /// Another image.
        Image,
        /// Other code; which is public.
        Code,
        /// Other inputs, from the named action.
        Inputs,
        /// Other declared outputs.
        Outputs,
        /// Other values given by Cloister.
        Environment,
        /// Another version of the data.
        Data,
    }
);
codes!(
    /// What became of an action that should be cancelled.
    Cancelled {
        /// It will not finish.
        Stopped,
        /// It had finished.
        AlreadyFinished,
        /// There is no such action in the request.
        Unknown,
    }
);
codes!(
    /// What cannot be reached.
    CheckingReason {
        /// The repository.
        CodeUnreachable,
        /// The image.
        ImageUnreachable,
    }
);
codes!(
    /// Why there is nothing to do.
    NothingReason {
        /// Everything has succeeded.
        AllSucceeded,
        /// Everything else is on its way.
        AlreadyScheduled,
    }
);
codes!(
    /// Why an order is refused (jobs.md 2), in the order of the checks.
    RefusedReason {
        /// Not the shape of a request.
        BadRequest,
        /// A workspace's name breaks its rule.
        BadWorkspaceName,
        /// For another backend.
        UnknownBackend,
        /// There is no such database.
        UnknownDatabase,
        /// The repository is not on the backend's list.
        RepoNotAllowed,
        /// The branch is not in the repository.
        BranchMissing,
        /// The commit is not in the repository.
        CommitNotFound,
        /// The commit is not on the branch.
        CommitNotOnBranch,
        /// No project.yaml at the commit.
        ProjectMissing,
        /// Another project.yaml than the requester saw.
        ProjectChanged,
        /// A project.yaml with faults.
        ProjectInvalid,
        /// A requested action is not in it.
        UnknownAction,
        /// Its needs go in a circle.
        NeedsCycle,
        /// An image is not on the backend's list.
        ImageNotAllowed,
        /// An image is not to be had.
        ImageNotFound,
        /// A reusable action cannot be used.
        ReusableActionError,
        /// Codelists are not as published, and a database job would run.
        CodelistsStale,
        /// The person or the project may not.
        NotPermitted,
        /// The workspace is archived.
        WorkspaceArchived,
        /// Larger than the backend's limits.
        TooLarge,
        /// The id is known with another repository, workspace or commit.
        InconsistentRequest,
        /// The repository could not be reached for too long.
        CodeUnreachable,
        /// The image could not be reached for too long.
        ImageUnreachable,
    }
);
