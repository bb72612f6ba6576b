//! The vectors of the CPU, found at run time: the build is for any x86-64. A loop that one of these names gives is only
//! to be had where the CPU has the instructions.
//!
//! Products and sums are never contracted, so that all of them give the same bits.
#![allow(unsafe_code)]

#[cfg(test)]
use std::cell::Cell;
use std::sync::OnceLock;

#[cfg(test)]
thread_local! {
    /// What the loops of a thread run on while a test compares vectors.
    static FORCED: Cell<Option<Vectors>> = const { Cell::new(None) };
}

/// The vectors that a loop is compiled for. Values of a kind that the CPU lacks do not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Vectors(Kind);

/// Sets of instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// What every CPU of the architecture has.
    Base,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Vectors {
    /// The widest.
    pub(crate) fn best() -> Vectors {
        #[cfg(test)]
        if let Some(vectors) = FORCED.get() {
            return vectors;
        }
        static BEST: OnceLock<Vectors> = OnceLock::new();
        *BEST.get_or_init(|| *Vectors::available().last().expect("there is always the base"))
    }

    /// The widest of at most 32 bytes.
    pub(crate) fn narrow() -> Vectors {
        #[cfg(target_arch = "x86_64")]
        if Vectors::best().0 != Kind::Base {
            return Vectors(Kind::Avx2);
        }
        Vectors::best()
    }

    /// All that the CPU has, from narrow to wide.
    pub(crate) fn available() -> Vec<Vectors> {
        let mut all = vec![Vectors(Kind::Base)];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                all.push(Vectors(Kind::Avx2));
            }
            let has = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512dq");
            if all.len() == 2 && has {
                all.push(Vectors(Kind::Avx512));
            }
        }
        all
    }

    /// Runs a loop on these vectors: a closure that is `#[inline(always)]`, else it is compiled for the base.
    #[inline(always)]
    pub(crate) fn run<R>(self, f: impl FnOnce() -> R) -> R {
        match self.0 {
            Kind::Base => f(),
            // SAFETY: a value of this kind exists only where the CPU has the instructions.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => unsafe { on_avx2(f) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => unsafe { on_avx512(f) },
        }
    }

    /// They have 64 bytes, there are 32 of them, and fused multiply-adds.
    pub(crate) fn are_wide(self) -> bool {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => true,
            _ => false,
        }
    }

    pub(super) fn kind(self) -> Kind {
        self.0
    }

    /// What `f` gives on all that the CPU has, the base first: every loop that this thread runs or compiles in `f` is on
    /// these vectors.
    #[cfg(test)]
    pub(crate) fn on_each<R>(f: impl Fn() -> R) -> Vec<(Vectors, R)> {
        let on = |vectors| {
            FORCED.set(Some(vectors));
            let result = f();
            FORCED.set(None);
            (vectors, result)
        };
        Vectors::available().into_iter().map(on).collect()
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn on_avx2<R>(f: impl FnOnce() -> R) -> R {
    f()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,fma")]
fn on_avx512<R>(f: impl FnOnce() -> R) -> R {
    f()
}
