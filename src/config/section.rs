//! The one way to declare a section: a struct, its defaults and its keys from a single list.

use super::value::Setting;

/// What a key is called and what it means.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The name in the file, dots between the parts: `admin.email`.
    pub name: &'static str,
    /// What it does, a line a line.
    pub doc: &'static str,
    /// What a value looks like, for keys that are unset by default.
    pub sample: Option<&'static str>,
}

impl Key {
    /// The variable that sets it: `GATEHOUSE_ADMIN__EMAIL`.
    #[must_use]
    pub fn variable(&self) -> String {
        variable(self.name)
    }
}

/// The variable that sets the key of this name.
pub(super) fn variable(name: &str) -> String {
    format!("{PREFIX}{}", name.to_ascii_uppercase().replace('.', "__"))
}

/// What every variable of ours starts with.
pub(super) const PREFIX: &str = "GATEHOUSE_";

/// What is shown each key and its place in turn.
pub type Visit<'a> = dyn FnMut(Key, &mut dyn Setting) + 'a;

/// Settings that belong together.
pub trait Section: Clone + Default {
    /// The heading in the example file.
    const TITLE: &'static str;
    /// What stands below the heading.
    const ABOUT: &'static str;

    /// Shows each key and its place in turn, in the order of declaration. Reading, showing, the
    /// example file and the messages all go through here.
    fn visit(&mut self, visit: &mut Visit<'_>);
}

/// Declares a section. Each field is followed by its key and its default; `from … to …` bounds a
/// value, `like …` shows what an unset key would hold. The documentation is what the example file
/// prints. There is no derived `Debug`: what is printed is what `config show` prints.
macro_rules! section {
    (
        $(#[doc = $about:literal])+
        $name:ident, $title:literal;
        $(
            $(#[doc = $doc:literal])+
            $field:ident: $ty:ty = $key:literal, $default:expr
            $(, from $low:expr, to $high:expr)?
            $(, like $sample:literal)?;
        )+
    ) => {
        $(#[doc = $about])+
        #[derive(Clone)]
        pub struct $name {
            $(
                $(#[doc = $doc])+
                #[doc = ""]
                #[doc = concat!("Key: `", $key, "`.")]
                pub $field: $ty,
            )+
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default),+ }
            }
        }

        impl $crate::config::section::Section for $name {
            const TITLE: &'static str = $title;
            const ABOUT: &'static str = concat!($($about, "\n"),+);

            fn visit(&mut self, visit: &mut $crate::config::section::Visit<'_>) {
                $(
                    visit(
                        $crate::config::section::Key {
                            name: $key,
                            doc: concat!($($doc, "\n"),+),
                            sample: $crate::config::section::section!(@sample $($sample)?),
                        },
                        $crate::config::section::section!(@place &mut self.$field $(, $low, $high)?),
                    );
                )+
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                $crate::config::section::debug(self, stringify!($name), f)
            }
        }
    };
    (@sample) => { None };
    (@sample $sample:literal) => { Some($sample) };
    (@place $place:expr) => { $place };
    (@place $place:expr, $low:expr, $high:expr) => {
        &mut $crate::config::value::Bounded { value: $place, low: $low, high: $high }
    };
}
pub(super) use section;

/// Prints a section with its secrets hidden.
pub(super) fn debug(section: &impl Section, name: &str, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
    let mut debug = f.debug_struct(name);
    section.clone().visit(&mut |key, setting| {
        debug.field(key.name, &setting.shown());
    });
    debug.finish()
}
