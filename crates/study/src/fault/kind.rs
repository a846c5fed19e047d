//! Classes of Python that today's tool raises: scripts that read them go on working.
//! Spec study-definitions.md 13.

macro_rules! kinds {
    ($($name:ident),* $(,)?) => {
        /// The class of Python that today's tool raises for a fault: scripts that read them go on working.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "the names are Python's")]
        pub enum Kind {
            $($name),*
        }

        impl Kind {
            /// As Python writes it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name)),*
                }
            }

            /// By its name; any other class is an [`Kind::Exception`].
            pub fn of(name: &str) -> Self {
                match name {
                    $(stringify!($name) => Self::$name,)*
                    _ => Self::Exception,
                }
            }
        }
    };
}

kinds!(
    ArithmeticError,
    AssertionError,
    AttributeError,
    DummyDataValidationError,
    EOFError,
    Exception,
    FileNotFoundError,
    ImportError,
    IndentationError,
    IndexError,
    InvalidExpressionError,
    IsADirectoryError,
    KeyError,
    LookupError,
    MemoryError,
    MissingParameterError,
    ModuleNotFoundError,
    NameError,
    NotADirectoryError,
    NotImplementedError,
    OSError,
    OverflowError,
    PermissionError,
    RecursionError,
    RuntimeError,
    StopIteration,
    SyntaxError,
    SystemExit,
    TabError,
    TimeoutError,
    TypeError,
    UnboundLocalError,
    UnicodeDecodeError,
    ValidationError,
    ValueError,
    ZeroDivisionError,
);
