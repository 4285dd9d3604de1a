using System.Runtime.Intrinsics;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Distillation.Managed.Kernels;

/// <summary>
/// The geometry of an image copied for a convolution: zero borders included, 16 channels together, and rows and columns split by their
/// remainder by the stride: [block][phase y][phase x][row][column][16]. Neighbouring pixels of one tap are then neighbours in memory for any stride.
/// </summary>
internal sealed unsafe class PackedImage
{
    private readonly int _height, _width, _padTop, _padLeft, _strideY, _strideX, _phasesY, _phasesX;

    /// <summary>Lays out an image.</summary>
    /// <param name="blocks">Blocks of 16 channels.</param>
    /// <param name="height">Rows of the image.</param>
    /// <param name="width">Columns of the image.</param>
    /// <param name="padTop">Zero rows above.</param>
    /// <param name="padLeft">Zero columns to the left.</param>
    /// <param name="strideY">Rows a step of the window skips.</param>
    /// <param name="strideX">Columns a step of the window skips.</param>
    /// <param name="reachY">Distance from the window's first to its last row.</param>
    /// <param name="reachX">Distance from the window's first to its last column.</param>
    /// <param name="rows">Steps of the window downwards.</param>
    /// <param name="columns">Steps of the window to the right.</param>
    /// <exception cref="InvalidModelException">It takes more values than an array holds, so that 32-bit offsets would not reach them.</exception>
    public PackedImage(int blocks, int height, int width, int padTop, int padLeft, int strideY, int strideX, int reachY, int reachX, int rows, int columns)
    {
        (_height, _width, _padTop, _padLeft, _strideY, _strideX) = (height, width, padTop, padLeft, strideY, strideX);
        _phasesY = Math.Min(strideY, reachY + 1);
        _phasesX = Math.Min(strideX, reachX + 1);
        Blocks = blocks;
        Rows = rows + reachY / strideY;
        Columns = columns + reachX / strideX;
        if (!TensorSize.Fits(blocks, _phasesY, _phasesX, Rows, Columns, 16))
            throw new InvalidModelException($"A convolution over an image of {height}×{width} takes more values than an array holds once it is packed.");
        BlockStride = (long)_phasesY * _phasesX * Rows * Columns * 16;
    }

    /// <summary>Blocks of 16 channels.</summary>
    public int Blocks { get; }

    /// <summary>Rows of one phase.</summary>
    public int Rows { get; }

    /// <summary>Columns of one phase.</summary>
    public int Columns { get; }

    /// <summary>Values between rows of a phase.</summary>
    public int RowStride => Columns * 16;

    /// <summary>Values between blocks.</summary>
    public long BlockStride { get; }

    /// <summary>Values in all.</summary>
    public long Length => Blocks * BlockStride;

    /// <summary>Where the pixel at distance (<paramref name="y"/>, <paramref name="x"/>) from the window's corner lies, relative to the window's step.</summary>
    public int Offset(int y, int x) =>
        (((y % _strideY * _phasesX) + x % _strideX) * Rows + y / _strideY) * RowStride + x / _strideX * 16;

    /// <summary>Copies an image.</summary>
    /// <param name="image">The image, [height][width][<paramref name="pixelStride"/>], at its first channel to copy.</param>
    /// <param name="pixelStride">Values between pixels of the image.</param>
    /// <param name="packed">Receives <see cref="Length"/> values.</param>
    public void Pack(float* image, int pixelStride, float* packed)
    {
        for (int block = 0; block < Blocks; block++, image += 16)
            for (int phaseY = 0; phaseY < _phasesY; phaseY++)
                for (int phaseX = 0; phaseX < _phasesX; phaseX++)
                    for (int row = 0; row < Rows; row++, packed += RowStride)
                    {
                        int y = row * _strideY + phaseY - _padTop;
                        if ((uint)y >= (uint)_height)
                            new Span<float>(packed, RowStride).Clear();
                        else
                            PackRow(image + (long)y * _width * pixelStride, pixelStride, phaseX - _padLeft, packed);
                    }
    }

    private void PackRow(float* row, int pixelStride, int firstX, float* packed)
    {
        int start = firstX >= 0 ? 0 : Math.Min(Columns, (-firstX + _strideX - 1) / _strideX);
        int end = firstX >= _width ? start : Math.Clamp((_width - 1 - firstX) / _strideX + 1, start, Columns);
        new Span<float>(packed, start * 16).Clear();
        float* source = row + (long)(firstX + start * _strideX) * pixelStride;
        long step = (long)_strideX * pixelStride;
        for (int column = start; column < end; column++, source += step)
            Vector512.Load(source).Store(packed + column * 16);
        new Span<float>(packed + end * 16, (Columns - end) * 16).Clear();
    }
}
