//! Two shapes on one face: whoever proved to be a service reads `{"error"}`, everybody else
//! `{"detail","error_code","status_code"}`.

use crate::domain::DomainError;
use crate::http::body::BodyError;
use crate::http::faces::idaas::error::Error as ServiceError;
use crate::http::faces::workspace::error::Error as WorkspaceError;
use crate::http::fields::FieldError;

/// Something that is not done, before it is known who reads that.
#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    /// A verb was not done.
    #[error(transparent)]
    Domain(#[from] DomainError),
    /// There is no body to work with.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// A member or parameter is wrong.
    #[error("{} {}", .0.field, .0.why)]
    Field(FieldError),
}

impl From<FieldError> for Problem {
    fn from(error: FieldError) -> Self {
        Self::Field(error)
    }
}

/// The same in a face's shape.
fn shaped<E: From<DomainError> + From<BodyError> + From<FieldError>>(problem: Problem) -> E {
    match problem {
        Problem::Domain(error) => error.into(),
        Problem::Body(error) => error.into(),
        Problem::Field(error) => error.into(),
    }
}

impl From<Problem> for ServiceError {
    fn from(problem: Problem) -> Self {
        shaped(problem)
    }
}

impl From<Problem> for WorkspaceError {
    fn from(problem: Problem) -> Self {
        shaped(problem)
    }
}
