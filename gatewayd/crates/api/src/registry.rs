//! Binds every row of the method table to a function, once, at start. A row without a function is known but not
//! built and answers `UNAVAILABLE`; a function without a row, or two for one row, stop the start.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use gateway_wire::error::ErrorShape;
use gateway_wire::methods::{self, METHODS, Method};
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::caller::Caller;
use crate::context::Context;

/// A result payload as JSON, or an error.
pub type Reply = Result<Bytes, ErrorShape>;

/// An answer that takes waiting.
pub type Waiting = Pin<Box<dyn Future<Output = Reply> + Send>>;

/// What a method function gives back.
pub enum Work {
    /// The answer is here.
    Done(Reply),
    /// The answer takes waiting; nothing has begun before this is polled.
    Later(Waiting),
}

/// One call, as a method function sees it.
pub struct Call<'a> {
    /// The handles of everything a method may ask.
    pub cx: &'a Arc<Context>,
    /// Who calls.
    pub caller: &'a Arc<Caller>,
    /// The row of the method.
    pub method: &'static Method,
    /// The parameters as sent; `None` for absent and for null.
    pub params: Option<&'a RawValue>,
}

impl Call<'_> {
    /// The parameters as `T`, checked against the row's schema. The schema's words are the error; a value that it
    /// admits and `T` does not is an error too. Without a schema the type's own words are the whole text.
    pub fn params<T: DeserializeOwned>(&self) -> Result<T, ErrorShape> {
        let name = self.method.name;
        let wrong = |problem: &dyn std::fmt::Display| match self.method.params {
            Some(_) => ErrorShape::invalid(format!("invalid {name} params: {problem}")),
            None => ErrorShape::invalid(problem.to_string()),
        };
        let value = self.value().map_err(|problem| wrong(&problem))?;
        serde_json::from_value(value).map_err(|problem| wrong(&problem))
    }

    /// Checks that the parameters fit the schema of a method that takes none.
    pub fn no_params(&self) -> Result<(), ErrorShape> {
        match self.params {
            None => Ok(()),
            Some(raw) if raw.get() == "{}" => Ok(()),
            Some(_) => self.params::<serde::de::IgnoredAny>().map(drop),
        }
    }

    /// The parameters as a value, `{}` when absent.
    pub fn value(&self) -> Result<Value, String> {
        match self.method.params {
            Some(schema) => gateway_wire::validate::check_raw(schema, self.params),
            None => match self.params.map(|raw| serde_json::from_str(raw.get())) {
                Some(Ok(value)) => Ok(value),
                Some(Err(error)) => Err(error.to_string()),
                None => Ok(Value::Object(serde_json::Map::new())),
            },
        }
    }
}

/// A method function.
pub type Function = fn(Call<'_>) -> Work;

/// The functions, in the order of the table.
pub struct Registry(Vec<Option<Function>>);

/// A registry that cannot serve.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A function for a name that is not in the table.
    #[error("method {0} is bound but not in the table")]
    Unknown(&'static str),
    /// Two functions for one name.
    #[error("method {0} is bound twice")]
    Twice(&'static str),
}

impl Registry {
    /// Builds the registry from pairs of name and function.
    pub fn build(bindings: impl IntoIterator<Item = (&'static str, Function)>) -> Result<Self, Error> {
        let mut functions: Vec<Option<Function>> = vec![None; METHODS.len()];
        for (name, function) in bindings {
            let place = methods::find(name).and_then(index);
            let slot = place.and_then(|i| functions.get_mut(i)).ok_or(Error::Unknown(name))?;
            if slot.replace(function).is_some() {
                return Err(Error::Twice(name));
            }
        }
        Ok(Self(functions))
    }

    /// The function of a row, if it is built, after the row's place in the table.
    #[must_use]
    pub fn function(&self, method: &'static Method) -> Option<(usize, Function)> {
        let place = index(method)?;
        Some((place, (*self.0.get(place)?)?))
    }

    /// Names of the rows that have no function.
    pub fn unbuilt(&self) -> impl Iterator<Item = &'static str> {
        METHODS.iter().zip(&self.0).filter(|(_, f)| f.is_none()).map(|(m, _)| m.name)
    }
}

/// Place of a method in the table.
fn index(method: &'static Method) -> Option<usize> {
    METHODS.element_offset(method)
}

/// Serialises a result.
pub fn json<T: serde::Serialize>(value: &T) -> Reply {
    serde_json::to_vec(value).map(Bytes::from).map_err(|e| ErrorShape::unavailable(format!("Error: {e}")))
}

/// Runs a function body that can fail, as finished work.
pub fn now(reply: impl FnOnce() -> Reply) -> Work {
    Work::Done(reply())
}

/// Work that waits.
pub fn later(future: impl Future<Output = Reply> + Send + 'static) -> Work {
    Work::Later(Box::pin(future))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing(_: Call<'_>) -> Work {
        now(|| json(&()))
    }

    #[test]
    fn unknown_and_double_bindings_are_refused() {
        assert_eq!(
            Registry::build([("no.such", nothing as Function)]).err(),
            Some(Error::Unknown("no.such"))
        );
        let twice = [("health", nothing as Function), ("health", nothing as Function)];
        assert_eq!(Registry::build(twice).err(), Some(Error::Twice("health")));
    }

    #[test]
    fn unbound_rows_are_known_as_unbuilt() {
        let registry = Registry::build([("health", nothing as Function)]).expect("one binding");
        assert_eq!(registry.unbuilt().count(), METHODS.len() - 1);
        assert!(registry.unbuilt().all(|name| name != "health"));
    }
}
