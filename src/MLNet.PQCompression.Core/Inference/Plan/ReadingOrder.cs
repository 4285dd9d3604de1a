using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Inference.Plan;

/// <summary>The order in which a direct convolution reads its inputs: runs of neighbouring values, each at an offset from a pixel's first value.</summary>
/// <remarks>
/// Over a blocked value a run is the channels of one block at one tap, in the order (block, tap); over planes it is one row of the
/// window, in the order (channel, row). A weight panel has a row of output channels for each value of each run.
/// </remarks>
internal sealed class ReadingOrder
{
    private readonly int _channels, _taps, _kernelWidth;
    private readonly bool _blocked;

    public ReadingOrder(PlanValue input, int channels, Window window)
    {
        _channels = channels;
        _blocked = input.Layout == ValueLayout.Blocked;
        _kernelWidth = window.KernelWidth;
        _taps = window.KernelHeight * window.KernelWidth;
        int at = 0;
        if (_blocked)
        {
            RunLength = Math.Min(channels, PlanValue.Block);
            int blocks = (channels + PlanValue.Block - 1) / PlanValue.Block;
            Offsets = new nint[blocks * _taps];
            for (int block = 0; block < blocks; block++)
                for (int tap = 0; tap < _taps; tap++)
                    Offsets[at++] = (nint)block * input.PlaneStride + Position(input, window, tap / _kernelWidth, tap % _kernelWidth);
        }
        else
        {
            RunLength = window.DilationX == 1 ? _kernelWidth : 1;
            Offsets = new nint[channels * _taps / RunLength];
            for (int channel = 0; channel < channels; channel++)
                for (int ky = 0; ky < window.KernelHeight; ky++)
                    for (int kx = 0; kx < _kernelWidth; kx += RunLength)
                        Offsets[at++] = (nint)channel * input.PlaneStride + Position(input, window, ky, kx);
        }
    }

    /// <summary>Where each run begins, from the first value of the pixel under the window's origin before padding.</summary>
    public nint[] Offsets { get; }

    /// <summary>Values in a run.</summary>
    public int RunLength { get; }

    /// <summary>Rows of a weight panel.</summary>
    public int Rows => Offsets.Length * RunLength;

    /// <summary>The panel row of an element of a weight's flat row, in the order (channel, kernel row, kernel column).</summary>
    public int RowOf(int flat)
    {
        int channel = flat / _taps, tap = flat % _taps;
        return _blocked
            ? (channel / PlanValue.Block * _taps + tap) * RunLength + channel % PlanValue.Block
            : flat;
    }

    private static nint Position(PlanValue input, Window window, int ky, int kx) =>
        (nint)(ky * window.DilationY - window.PadTop) * input.RowStride + (nint)(kx * window.DilationX - window.PadLeft) * input.Lanes;
}
