namespace MLNet.PQCompression.Distillation.Managed.Kernels;

/// <summary>A rectangle of outputs that all see the same taps: a whole convolution, or one phase of a strided convolution's data gradient.</summary>
/// <param name="Taps">Which taps of the window take part.</param>
/// <param name="Offsets">Where each lies in the packed image relative to the window's step.</param>
/// <param name="Rows">Rows of the rectangle.</param>
/// <param name="Columns">Columns of the rectangle.</param>
/// <param name="InputBase">Where the first step lies in the packed image.</param>
/// <param name="OutputBase">Where the first output pixel lies, in pixels.</param>
/// <param name="OutputRowStep">Pixels from one row of outputs to the next.</param>
/// <param name="OutputColumnStep">Pixels from one output to the next.</param>
internal sealed record Sweep(int[] Taps, int[] Offsets, int Rows, int Columns, long InputBase, long OutputBase, int OutputRowStep, int OutputColumnStep);
