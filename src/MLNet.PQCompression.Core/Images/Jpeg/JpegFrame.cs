using System.Buffers;

namespace MLNet.PQCompression.Images.Jpeg;

/// <summary>What a frame header says, with the buffers of its components. Disposing gives the buffers back.</summary>
internal sealed class JpegFrame : IDisposable
{
    public JpegFrame(int width, int height, bool progressive, JpegComponent[] components)
    {
        Width = width;
        Height = height;
        Progressive = progressive;
        Components = components;
        MaxHorizontal = components.Max(c => c.Horizontal);
        MaxVertical = components.Max(c => c.Vertical);
        McusAcross = (width + 8 * MaxHorizontal - 1) / (8 * MaxHorizontal);
        McusDown = (height + 8 * MaxVertical - 1) / (8 * MaxVertical);
        foreach (JpegComponent component in components)
            component.Place(this);
    }

    public int Width { get; }

    public int Height { get; }

    public bool Progressive { get; }

    public JpegComponent[] Components { get; }

    /// <summary>The largest horizontal sampling factor.</summary>
    public int MaxHorizontal { get; }

    /// <summary>The largest vertical sampling factor.</summary>
    public int MaxVertical { get; }

    public int McusAcross { get; }

    public int McusDown { get; }

    /// <summary>Takes the buffers, once it is known that the data can fill them.</summary>
    /// <param name="dataLength">The bytes of the stream. A block takes a bit at least, so fewer bits than blocks mean a truncated or hostile stream.</param>
    /// <param name="allowTruncated">Whether that is accepted; samples then start out grey.</param>
    public void Allocate(int dataLength, bool allowTruncated)
    {
        long blocks = Components.Sum(c => (long)c.BlocksAcross * c.BlocksDown);
        if (blocks > dataLength * 8L && !allowTruncated)
            throw new InvalidImageException(ImageFault.Truncated, $"JPEG: {dataLength} bytes cannot hold the {blocks} blocks of an image of {Width}×{Height}.");
        foreach (JpegComponent component in Components)
        {
            if (component.BlockCount * 64 > Array.MaxLength)
                throw new InvalidImageException(ImageFault.TooLarge, $"JPEG: a component of {component.BlockCount} blocks is too large.");
            int samples = (int)(component.BlockCount * 64);
            component.Samples = ArrayPool<byte>.Shared.Rent(samples);
            if (allowTruncated)
                component.Samples.AsSpan(0, samples).Fill(128);
            if (!Progressive)
                continue;
            component.Coefficients = ArrayPool<short>.Shared.Rent(samples);
            component.Coefficients.AsSpan(0, samples).Clear();
        }
    }

    public void Dispose()
    {
        foreach (JpegComponent component in Components)
        {
            if (component.Samples.Length > 0)
                ArrayPool<byte>.Shared.Return(component.Samples);
            if (component.Coefficients.Length > 0)
                ArrayPool<short>.Shared.Return(component.Coefficients);
            component.Samples = [];
            component.Coefficients = [];
        }
    }
}
