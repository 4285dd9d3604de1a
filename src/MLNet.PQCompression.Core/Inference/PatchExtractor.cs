using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Inference;

/// <summary>Unfolds an image into the patches that a convolution's window sees, so that the convolution becomes a matrix product.</summary>
/// <remarks>A patch holds C·kh·kw values in the order (channel, window row, window column), which is the flat order of a convolution weight's rows.</remarks>
public sealed class PatchExtractor
{
    private readonly Window _window;
    private readonly int _channels, _height, _width;

    /// <summary>Prepares to unfold images of one size.</summary>
    /// <param name="channels">C, the channels that one output reads: those of its group.</param>
    /// <param name="height">H.</param>
    /// <param name="width">W.</param>
    /// <param name="window">The convolution's window.</param>
    public PatchExtractor(int channels, int height, int width, Window window)
    {
        (_channels, _height, _width, _window) = (channels, height, width, window);
        OutputHeight = window.OutputHeight(height);
        OutputWidth = window.OutputWidth(width);
    }

    /// <summary>C·kh·kw, the values in a patch.</summary>
    public int PatchLength => _channels * _window.KernelHeight * _window.KernelWidth;

    /// <summary>Rows of the convolution's output.</summary>
    public int OutputHeight { get; }

    /// <summary>Columns of the convolution's output.</summary>
    public int OutputWidth { get; }

    /// <summary>The number of patches: OutputHeight·OutputWidth.</summary>
    public int Positions => OutputHeight * OutputWidth;

    /// <summary>Gathers the patches of some output positions as rows.</summary>
    /// <param name="image">C·H·W values.</param>
    /// <param name="positions">Output positions, oy·OutputWidth + ox.</param>
    /// <param name="rows">A row of PatchLength values for each position.</param>
    /// <param name="stride">Distance between the rows.</param>
    public void Gather(ReadOnlySpan<float> image, ReadOnlySpan<int> positions, Span<float> rows, int stride)
    {
        for (int i = 0; i < positions.Length; i++)
            Gather(image, positions[i], rows.Slice(i * stride, PatchLength));
    }

    /// <summary>Unfolds some channels into columns, the transpose of gathering all positions (im2col).</summary>
    /// <param name="image">C·H·W values.</param>
    /// <param name="firstChannel">The first channel to unfold.</param>
    /// <param name="channelCount">How many channels to unfold.</param>
    /// <param name="columns">A row of Positions values for each channel and tap, beginning with the first channel's.</param>
    /// <param name="stride">Distance between the rows.</param>
    public void Unfold(ReadOnlySpan<float> image, int firstChannel, int channelCount, Span<float> columns, int stride)
    {
        int row = 0;
        for (int c = firstChannel; c < firstChannel + channelCount; c++)
        {
            ReadOnlySpan<float> plane = image.Slice(c * _height * _width, _height * _width);
            for (int ky = 0; ky < _window.KernelHeight; ky++)
                for (int kx = 0; kx < _window.KernelWidth; kx++)
                    UnfoldTap(plane, ky, kx, columns.Slice(row++ * stride, Positions));
        }
    }

    private void Gather(ReadOnlySpan<float> image, int position, Span<float> patch)
    {
        int top = position / OutputWidth * _window.StrideY - _window.PadTop;
        int left = position % OutputWidth * _window.StrideX - _window.PadLeft;
        bool inside = _window.DilationX == 1 && left >= 0 && left + _window.KernelWidth <= _width;
        int t = 0;
        for (int c = 0; c < _channels; c++)
        {
            ReadOnlySpan<float> plane = image.Slice(c * _height * _width, _height * _width);
            for (int ky = 0; ky < _window.KernelHeight; ky++, t += _window.KernelWidth)
            {
                int y = top + ky * _window.DilationY;
                Span<float> target = patch.Slice(t, _window.KernelWidth);
                if ((uint)y >= (uint)_height)
                    target.Clear();
                else if (inside)
                    plane.Slice(y * _width + left, target.Length).CopyTo(target);
                else
                    for (int kx = 0; kx < target.Length; kx++)
                    {
                        int x = left + kx * _window.DilationX;
                        target[kx] = (uint)x < (uint)_width ? plane[y * _width + x] : 0;
                    }
            }
        }
    }

    private void UnfoldTap(ReadOnlySpan<float> plane, int ky, int kx, Span<float> target)
    {
        int offset = kx * _window.DilationX - _window.PadLeft, stride = _window.StrideX;
        (int first, int end) = InsideRange(offset, stride, _width, OutputWidth);
        for (int oy = 0; oy < OutputHeight; oy++)
        {
            Span<float> row = target.Slice(oy * OutputWidth, OutputWidth);
            int y = oy * _window.StrideY + ky * _window.DilationY - _window.PadTop;
            if ((uint)y >= (uint)_height || first >= end)
            {
                row.Clear();
                continue;
            }
            row[..first].Clear();
            row[end..].Clear();
            ReadOnlySpan<float> source = plane.Slice(y * _width, _width);
            if (stride == 1)
                source.Slice(first + offset, end - first).CopyTo(row[first..]);
            else
                for (int ox = first; ox < end; ox++)
                    row[ox] = source[ox * stride + offset];
        }
    }

    /// <summary>The output positions whose tap at <paramref name="offset"/> falls inside the input: first to end, exclusive.</summary>
    internal static (int First, int End) InsideRange(int offset, int stride, int size, int outputs)
    {
        int first = offset >= 0 ? 0 : (-offset + stride - 1) / stride;
        int last = size - 1 - offset;
        int end = last < 0 ? 0 : last / stride + 1;
        first = Math.Min(first, outputs);
        return (first, Math.Clamp(end, first, outputs));
    }
}
