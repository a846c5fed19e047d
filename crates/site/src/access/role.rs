//! Roles, the permissions they give, and where they may be given.
//! Spec site.md 11.3.

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$each])* $variant,)* }

        impl $name {
            /// All of them, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// As it is stored and shown.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// What a stored word means; `None` for one of a newer program.
            pub fn of(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == word)
            }
        }
    };
}

words!(
    /// An act that somebody may be allowed to do.
    Permission {
        /// Ask for runs.
        JobRun = "job_run",
        /// Cancel what others asked for.
        JobCancel = "job_cancel",
        /// Edit a project and its members.
        ProjectManage = "project_manage",
        /// See released files.
        ReleaseFileView = "release_file_view",
        /// Choose released files for publication.
        SnapshotCreate = "snapshot_create",
        /// See outputs at the review site.
        UnreleasedOutputsView = "unreleased_outputs_view",
        /// Close a workspace.
        WorkspaceArchive = "workspace_archive",
        /// Make a workspace.
        WorkspaceCreate = "workspace_create",
        /// Switch notifications of a workspace.
        WorkspaceToggleNotifications = "workspace_toggle_notifications",
        /// See processor and memory use.
        JobMetricsView = "job_metrics_view",
        /// Send files out of a backend.
        ReleaseFileUpload = "release_file_upload",
        /// Take a released file back.
        ReleaseFileDelete = "release_file_delete",
        /// Decide about publication.
        SnapshotPublish = "snapshot_publish",
        /// Look into the review site.
        ReviewReadonlyAccess = "review_readonly_access",
        /// Enter the staff area.
        StaffAreaAccess = "staff_area_access",
        /// Manage people.
        UserManage = "user_manage",
        /// Manage backends.
        BackendManage = "backend_manage",
        /// Make organisations.
        OrgCreate = "org_create",
        /// Handle project applications.
        ApplicationManage = "application_manage",
        /// Write notices for all.
        SiteAlertManage = "site_alert_manage",
        /// Make projects.
        ProjectCreate = "project_create",
        /// Give roles in projects.
        UserEditProjectRoles = "user_edit_project_roles",
        /// Link a project to its application.
        ProjectLinkToApplication = "project_link_to_application",
        /// Propose data permissions.
        PermissionPropose = "permission_propose",
        /// Sign off repositories that have outputs.
        RepoSignOffWithOutputs = "repo_sign_off_with_outputs",
        /// Approve data permissions.
        PermissionApprove = "permission_approve",
        /// Read the audit log.
        AuditView = "audit_view",
        /// Change settings of the site.
        SiteManage = "site_manage",
    }
);

words!(
    /// What somebody is, for the whole site or for one project, backend or organisation.
    Role {
        /// Works on a project.
        ProjectDeveloper = "ProjectDeveloper",
        /// Sees a project's released files.
        ProjectCollaborator = "ProjectCollaborator",
        /// Judges outputs.
        OutputChecker = "OutputChecker",
        /// Decides about publication.
        OutputPublisher = "OutputPublisher",
        /// Runs and cancels for others.
        DeploymentAdministrator = "DeploymentAdministrator",
        /// Manages people and backends.
        StaffAreaAdministrator = "StaffAreaAdministrator",
        /// Makes projects and organisations.
        ServiceAdministrator = "ServiceAdministrator",
        /// Helps researchers.
        TechSupport = "TechSupport",
        /// Signs off repositories that have outputs.
        SignOffRepoWithOutputs = "SignOffRepoWithOutputs",
        /// Approves data permissions.
        DataAuthority = "DataAuthority",
        /// Operates a backend.
        BackendOperator = "BackendOperator",
        /// Reads the audit log.
        Auditor = "Auditor",
        /// Changes settings and grants site roles.
        SiteAdministrator = "SiteAdministrator",
    }
);

/// For what a role is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScopeKind {
    /// Everything.
    Site,
    /// One project.
    Project,
    /// One backend.
    Backend,
}

impl Role {
    /// What it allows.
    pub fn permissions(self) -> &'static [Permission] {
        use Permission as P;
        match self {
            Self::ProjectDeveloper => &[
                P::JobRun,
                P::JobCancel,
                P::ProjectManage,
                P::ReleaseFileView,
                P::SnapshotCreate,
                P::UnreleasedOutputsView,
                P::WorkspaceArchive,
                P::WorkspaceCreate,
                P::WorkspaceToggleNotifications,
                P::JobMetricsView,
            ],
            Self::ProjectCollaborator => &[P::ReleaseFileView],
            Self::OutputChecker => {
                &[P::ReleaseFileUpload, P::ReleaseFileView, P::ReleaseFileDelete, P::UnreleasedOutputsView]
            }
            Self::OutputPublisher => &[P::SnapshotPublish],
            Self::DeploymentAdministrator => &[P::JobRun, P::JobCancel, P::ReviewReadonlyAccess],
            Self::StaffAreaAdministrator => &[
                P::StaffAreaAccess,
                P::UserManage,
                P::BackendManage,
                P::OrgCreate,
                P::ApplicationManage,
                P::SiteAlertManage,
            ],
            Self::ServiceAdministrator => &[
                P::OrgCreate,
                P::ProjectCreate,
                P::UserEditProjectRoles,
                P::ProjectLinkToApplication,
                P::PermissionPropose,
            ],
            Self::TechSupport => &[P::ReleaseFileView, P::ProjectCreate, P::UserEditProjectRoles, P::JobMetricsView],
            Self::SignOffRepoWithOutputs => &[P::RepoSignOffWithOutputs],
            Self::DataAuthority => &[P::PermissionApprove],
            Self::BackendOperator => &[P::BackendManage, P::JobCancel, P::JobMetricsView],
            Self::Auditor => &[P::AuditView],
            Self::SiteAdministrator => &[P::SiteManage],
        }
    }

    /// Where it may be given.
    pub fn scopes(self) -> &'static [ScopeKind] {
        use ScopeKind as S;
        match self {
            Self::ProjectDeveloper => &[S::Project],
            Self::ProjectCollaborator => &[S::Project, S::Site],
            Self::OutputChecker => &[S::Site, S::Backend],
            Self::OutputPublisher => &[S::Site],
            Self::DeploymentAdministrator => &[S::Site],
            Self::StaffAreaAdministrator => &[S::Site],
            Self::ServiceAdministrator => &[S::Site],
            Self::TechSupport => &[S::Site],
            Self::SignOffRepoWithOutputs => &[S::Site],
            Self::DataAuthority => &[S::Site, S::Backend],
            Self::BackendOperator => &[S::Backend],
            Self::Auditor => &[S::Site],
            Self::SiteAdministrator => &[S::Site],
        }
    }

    /// Whether one person grants it and another approves it, neither being who gets it.
    pub fn needs_two(self) -> bool {
        matches!(
            self,
            Self::OutputChecker
                | Self::OutputPublisher
                | Self::DataAuthority
                | Self::StaffAreaAdministrator
                | Self::SiteAdministrator
        )
    }
}
