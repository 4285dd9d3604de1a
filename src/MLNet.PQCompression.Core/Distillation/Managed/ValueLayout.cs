using System.Collections.Immutable;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Distillation.Managed;

/// <summary>
/// How a value lies in memory while training. Images (rank 4) are kept pixel after pixel with the channels together, padded with zeros to a multiple
/// of 16: N×H×W×C'. Everything else is row-major.
/// </summary>
internal sealed class ValueLayout
{
    /// <summary>Lays out a value.</summary>
    /// <param name="shape">Its shape; dimension 0 is the batch, whatever its size.</param>
    /// <exception cref="InvalidModelException">One sample takes more elements than an array holds, so that the kernels' 32-bit addresses would not reach them.</exception>
    public ValueLayout(TensorShape shape)
    {
        if (shape.Rank == 0 || !TensorSize.Fits(shape) || shape.Rank == 4 && !TensorSize.Fits(shape[1] + 15L, shape[2], shape[3]))
            throw new InvalidModelException($"A value of shape {shape} has no batch or takes more elements than an array holds, so it cannot be trained.");
        Shape = shape;
        Dimensions = shape.Dimensions.RemoveAt(0);
        IsImage = shape.Rank == 4;
        PaddedChannels = IsImage ? (Dimensions[0] + 15) / 16 * 16 : 0;
        var strides = new int[Dimensions.Length];
        if (IsImage)
            (strides[0], strides[1], strides[2]) = (1, Dimensions[2] * PaddedChannels, PaddedChannels);
        else
            for (int i = strides.Length - 1, stride = 1; i >= 0; stride *= Dimensions[i--])
                strides[i] = stride;
        Strides = [.. strides];
        int count = 1;
        foreach (int d in Dimensions)
            count *= d;
        Count = count;
        Length = IsImage ? Height * Width * PaddedChannels : count;
    }

    /// <summary>The shape, batch included.</summary>
    public TensorShape Shape { get; }

    /// <summary>The shape without the batch.</summary>
    public ImmutableArray<int> Dimensions { get; }

    /// <summary>Distance between neighbours along each of <see cref="Dimensions"/>.</summary>
    public ImmutableArray<int> Strides { get; }

    /// <summary>Whether the value is kept as an image.</summary>
    public bool IsImage { get; }

    /// <summary>C of an image.</summary>
    public int Channels => Dimensions[0];

    /// <summary>H of an image.</summary>
    public int Height => Dimensions[1];

    /// <summary>W of an image.</summary>
    public int Width => Dimensions[2];

    /// <summary>C of an image, padded to a multiple of 16.</summary>
    public int PaddedChannels { get; }

    /// <summary>H·W of an image.</summary>
    public int Pixels => Height * Width;

    /// <summary>Elements of one sample.</summary>
    public int Count { get; }

    /// <summary>Room that one sample takes.</summary>
    public int Length { get; }

    /// <summary>Where an element of a sample lies, by its row-major number.</summary>
    public int Offset(int index) => IsImage ? index % Pixels * PaddedChannels + index / Pixels : index;

    /// <summary>Sets the lanes between C and C' to zero, for operators that do not map zero to zero.</summary>
    public unsafe void ClearPadding(float* sample)
    {
        if (!IsImage || Channels == PaddedChannels)
            return;
        for (int pixel = 0; pixel < Pixels; pixel++)
            new Span<float>(sample + pixel * PaddedChannels + Channels, PaddedChannels - Channels).Clear();
    }

    /// <summary>Copies one row-major sample in.</summary>
    public unsafe void Load(ReadOnlySpan<float> plain, float* sample)
    {
        if (!IsImage)
        {
            plain[..Count].CopyTo(new Span<float>(sample, Count));
            return;
        }
        int pixels = Pixels;
        for (int pixel = 0; pixel < pixels; pixel++, sample += PaddedChannels)
        {
            for (int c = 0; c < Channels; c++)
                sample[c] = plain[c * pixels + pixel];
            for (int c = Channels; c < PaddedChannels; c++)
                sample[c] = 0;
        }
    }

    /// <summary>Copies one sample out, row-major.</summary>
    public unsafe void Store(float* sample, Span<float> plain)
    {
        if (!IsImage)
        {
            new ReadOnlySpan<float>(sample, Count).CopyTo(plain);
            return;
        }
        int pixels = Pixels;
        for (int pixel = 0; pixel < pixels; pixel++, sample += PaddedChannels)
            for (int c = 0; c < Channels; c++)
                plain[c * pixels + pixel] = sample[c];
    }
}
