using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference.Operators;

namespace MLNet.PQCompression.Distillation.Managed.Operations;

/// <summary>The input pixels that a window covers.</summary>
internal static class PoolWindow
{
    /// <summary>The input pixels of one output pixel, row by row, without the padding.</summary>
    public static Enumerable Pixels(Window window, ValueLayout input, ValueLayout output, int pixel) => new(window, input, output, pixel);

    /// <summary>How many places of the window lie within the input and its padding, by which an average that counts the padding is divided.</summary>
    public static int CountWithPadding(Window w, ValueLayout input, ValueLayout output, int pixel)
    {
        int y = pixel / output.Width * w.StrideY - w.PadTop, x = pixel % output.Width * w.StrideX - w.PadLeft;
        return Pooling.TapsBelow(input.Height + w.PadBottom, y, w.KernelHeight, w.DilationY) * Pooling.TapsBelow(input.Width + w.PadRight, x, w.KernelWidth, w.DilationX);
    }

    /// <summary>Enumerates without allocating.</summary>
    public ref struct Enumerable(Window window, ValueLayout input, ValueLayout output, int pixel)
    {
        private readonly int _y = pixel / output.Width * window.StrideY - window.PadTop;
        private readonly int _x = pixel % output.Width * window.StrideX - window.PadLeft;
        private int _tap = -1;

        /// <summary>The pixel's index.</summary>
        public int Current { get; private set; }

        /// <summary>This.</summary>
        public readonly Enumerable GetEnumerator() => this;

        /// <summary>Goes to the next pixel that exists.</summary>
        public bool MoveNext()
        {
            while (++_tap < window.KernelHeight * window.KernelWidth)
            {
                int y = _y + _tap / window.KernelWidth * window.DilationY, x = _x + _tap % window.KernelWidth * window.DilationX;
                if ((uint)y >= (uint)input.Height || (uint)x >= (uint)input.Width)
                    continue;
                Current = y * input.Width + x;
                return true;
            }
            return false;
        }
    }
}
