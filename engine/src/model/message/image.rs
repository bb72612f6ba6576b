//! What is said of image operations: B0345 to B0351.

use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use super::error;

/// Rows do not hold whole images; `fits` says which would.
pub(in crate::model) fn image_size(
    span: Span,
    call: Span,
    function: &str,
    row: &str,
    (product, total): (&str, &str),
    fits: Option<String>,
) -> Diagnostic {
    let d = error(
        "B0345",
        format!("the images of `{function}` do not fill its rows"),
        span,
        format!("a row holds {row} numbers"),
    )
    .with(call, format!("channels*height*width = {product} = {total}"));
    d.help(
        fits.unwrap_or_else(|| "a row is one image, channel after channel: its length is channels*height*width".into()),
    )
}

pub(in crate::model) fn window_too_large(
    span: Span,
    function: &str,
    what: &str,
    (window, image): (&str, &str),
    padding: u32,
) -> Diagnostic {
    let image = if padding == 0 { image.to_string() } else { format!("{image} + 2*{padding} of padding") };
    let help = match function {
        "conv2d" => "take smaller kernels, or `padding`",
        _ => "take a smaller `size`, or fewer layers: each pooling makes images smaller",
    };
    let message = format!("a window of `{function}` has {window} {what}, an image has {image}");
    error("B0346", message, span, "larger than the image").help(help)
}

/// An option that is a whole number of some least value.
pub(in crate::model) fn window_option(span: Span, function: &str, option: &str, least: u32, found: &str) -> Diagnostic {
    let help = match option {
        "stride" => "windows are `stride` pixels apart: 1 for every place, the size of a window for those side by side",
        "padding" => "0 adds nothing; 1 keeps the size of images under 3 by 3 kernels",
        _ => "2 takes the largest or mean of 2 by 2 pixels",
    };
    error(
        "B0347",
        format!("`{option}` of `{function}` is a whole number, at least {least}"),
        span,
        format!("this is {found}"),
    )
    .help(help)
}

pub(in crate::model) fn kernel_shape(span: Span, shape: &str, text: &str) -> Diagnostic {
    error("B0348", "`conv2d` takes kernels W[out, in, rows, columns]", span, format!("this is {shape}")).help(format!(
        "declare `{text}[16, 1, 3, 3]` for 16 kernels of 3 by 3 on one channel, or write `reshape({text}, 16, 1, 3, 3)`"
    ))
}

pub(in crate::model) fn channels_divide(span: Span, channels: &str, at: Span, row: &str) -> Diagnostic {
    error(
        "B0349",
        format!("rows of {row} numbers cannot be split into {channels} equal channels"),
        span,
        "does not divide the row",
    )
    .with(at, format!("a row holds {row} numbers"))
    .help(
        "`channels` is how many images a row holds one after the other; without it each column has its own statistics",
    )
}

/// A number per channel is missing or one too many.
pub(in crate::model) fn per_channel(span: Span, function: &str, what: &str, found: &str, wanted: &str) -> Diagnostic {
    error("B0350", format!("the {what} of `{function}` has one number per channel"), span, format!("this is {found}"))
        .help(format!("its shape is {wanted}"))
}

pub(in crate::model) fn negative_eps(span: Span, value: f64) -> Diagnostic {
    error("B0351", "`eps` of `batchnorm` is added to a variance", span, format!("this is {value}"))
        .help("write a small number, such as 1e-5")
}
