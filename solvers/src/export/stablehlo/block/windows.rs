//! Convolutions, and the largest entries of windows.

use blo_engine::graph::{ConvPart, Windows};

use super::{Block, Type, Value, list};

impl Block {
    /// One of the three arrays of `sum(v[i,o,p,q] W[o,c,a,b] u[i, c, p*stride + a - padding, ...])` from the other two.
    pub(in crate::export::stablehlo) fn conv(
        &mut self,
        part: ConvPart,
        args: &[Value],
        shape: &[usize],
        [stride, padding]: [usize; 2],
    ) -> Value {
        let (first, second) = (&args[0], &args[1]);
        let pad = padding as i64;
        match part {
            ConvPart::Output => {
                let numbers = "[b, f, 0, 1]x[o, i, 0, 1]->[b, f, 0, 1]";
                self.convolution(
                    [first, second],
                    shape,
                    numbers,
                    [(stride, 1, 1), (stride, 1, 1)],
                    [[pad; 2]; 2],
                    false,
                )
            }
            // v with stride - 1 zeros between its entries, under kernels that are turned around
            ConvPart::Image => {
                let sides = [0, 1].map(|side| {
                    let (kernel, count, length) =
                        (first.shape()[2 + side] as i64, second.shape()[2 + side] as i64, shape[2 + side] as i64);
                    [kernel - 1 - pad, length - 1 - (count - 1) * stride as i64 + pad]
                });
                let numbers = "[b, f, 0, 1]x[i, o, 0, 1]->[b, f, 0, 1]";
                self.convolution([second, first], shape, numbers, [(1, stride, 1), (1, stride, 1)], sides, true)
            }
            // u under windows that are v, its entries `stride` apart
            ConvPart::Kernel => {
                let sides = [0, 1].map(|side| {
                    let (length, count, kernel) =
                        (first.shape()[2 + side] as i64, second.shape()[2 + side] as i64, shape[2 + side] as i64);
                    [pad, kernel - length - pad + (count - 1) * stride as i64]
                });
                let numbers = "[f, b, 0, 1]x[i, o, 0, 1]->[f, b, 0, 1]";
                self.convolution([first, second], shape, numbers, [(1, 1, stride), (1, 1, stride)], sides, false)
            }
        }
    }

    /// `steps`: of each side the stride of the windows, and the distances of entries of the images and of the kernels.
    fn convolution(
        &mut self,
        [images, kernels]: [&Value; 2],
        shape: &[usize],
        numbers: &str,
        steps: [(usize, usize, usize); 2],
        sides: [[i64; 2]; 2],
        turned: bool,
    ) -> Value {
        let ty = Type { shape: shape.to_vec(), element: images.ty.element };
        let [strides, of_images, of_kernels] =
            [steps.map(|s| s.0), steps.map(|s| s.1), steps.map(|s| s.2)].map(|steps| list(&steps));
        let pads: Vec<String> = sides.iter().map(|[low, high]| format!("[{low}, {high}]")).collect();
        let text = format!(
            "stablehlo.convolution({}, {}) dim_numbers = {numbers}, window = {{stride = [{strides}], pad = [{}], lhs_dilate = \
             [{of_images}], rhs_dilate = [{of_kernels}], reverse = [{turned}, {turned}]}} {{batch_group_count = 1 : i64, \
             feature_group_count = 1 : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision \
             HIGHEST>]}} : ({}, {}) -> {ty}",
            images.name,
            kernels.name,
            pads.join(", "),
            images.ty,
            kernels.ty
        );
        self.add(text, ty)
    }

    /// Entry (a, b) of every window.
    fn corner(&mut self, u: &Value, [a, b]: [usize; 2], [rows, columns]: [usize; 2], stride: usize) -> Value {
        let down = self.slice(u, 1, a, rows, stride);
        self.slice(&down, 2, b, columns, stride)
    }

    /// Of every window of the key its largest entry, the first one of several, as the number of its place.
    fn places(&mut self, key: &Value, counts: [usize; 2], windows: Windows) -> Value {
        let (size, stride) = (windows.size as usize, windows.stride as usize);
        let mut best = self.corner(key, [0, 0], counts, stride);
        let mut place = self.real(0.0, best.shape());
        for number in 1..size * size {
            let next = self.corner(key, [number / size, number % size], counts, stride);
            let larger = self.compare("GT", &next, &best);
            best = self.select(&larger, &next, &best);
            let here = self.real(number as f64, best.shape());
            place = self.select(&larger, &here, &place);
        }
        place
    }

    /// All images in one row: what lies before the last two axes is one axis.
    fn images(&mut self, value: &Value) -> Value {
        let rank = value.rank();
        let shape = [&[value.shape()[..rank - 2].iter().product()], &value.shape()[rank - 2..]].concat();
        self.reshape(value, &shape)
    }

    /// What values have at the largest entry of each window of the key.
    pub(in crate::export::stablehlo) fn pick(&mut self, args: &[Value], shape: &[usize], windows: Windows) -> Value {
        let [key, values] = [0, 1].map(|i| self.images(&args[i]));
        let counts = [shape[shape.len() - 2], shape[shape.len() - 1]];
        let place = self.places(&key, counts, windows);
        let (size, stride) = (windows.size as usize, windows.stride as usize);
        let mut picked = self.corner(&values, [0, 0], counts, stride);
        for number in 1..size * size {
            let here = self.real(number as f64, place.shape());
            let is_here = self.compare("EQ", &place, &here);
            let next = self.corner(&values, [number / size, number % size], counts, stride);
            picked = self.select(&is_here, &next, &picked);
        }
        self.reshape(&picked, shape)
    }

    /// The transpose of `pick` in its values.
    pub(in crate::export::stablehlo) fn put(&mut self, args: &[Value], shape: &[usize], windows: Windows) -> Value {
        let [key, values] = [0, 1].map(|i| self.images(&args[i]));
        let counts = [values.shape()[1], values.shape()[2]];
        let place = self.places(&key, counts, windows);
        let (size, stride) = (windows.size as usize, windows.stride as usize);
        let zero = self.real(0.0, values.shape());
        let mut total: Option<Value> = None;
        for number in 0..size * size {
            let here = self.real(number as f64, place.shape());
            let is_here = self.compare("EQ", &place, &here);
            let kept = self.select(&is_here, &values, &zero);
            let down = self.pad(&kept, 1, number / size, key.shape()[1], stride);
            let spread = self.pad(&down, 2, number % size, key.shape()[2], stride);
            total = Some(match total {
                Some(total) => self.binary("add", &total, &spread),
                None => spread,
            });
        }
        let total = total.expect("a window has an entry");
        self.reshape(&total, shape)
    }
}
