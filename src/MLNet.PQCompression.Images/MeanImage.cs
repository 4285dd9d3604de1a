using System.Buffers.Binary;
using System.IO.Compression;

namespace MLNet.PQCompression.Images;

/// <summary>A value to subtract from each input of a network, as Caffe's and CNTK's are trained with: the mean of the training images.</summary>
/// <remarks>Values are kept to a sixteenth of a grey level, which is what a model file keeps of them, so that a saved model computes what it did before.</remarks>
public sealed class MeanImage : IEquatable<MeanImage>
{
    /// <summary>Steps of a full pixel.</summary>
    private const int Steps = 16 * 255;

    private readonly short[] _steps;

    private MeanImage(int channels, int height, int width, short[] steps)
    {
        (Channels, Height, Width) = (channels, height, width);
        _steps = steps;
    }

    /// <summary>Makes a mean image.</summary>
    /// <param name="channels">C, in the order of the model's planes.</param>
    /// <param name="height">H.</param>
    /// <param name="width">W.</param>
    /// <param name="values">C×H×W values, a full pixel being <paramref name="range"/>.</param>
    /// <param name="range">1 or 255.</param>
    /// <exception cref="ArgumentException">The number of values is not C·H·W, or a value is not within eight full pixels of 0.</exception>
    public MeanImage(int channels, int height, int width, ReadOnlySpan<float> values, int range = 255)
        : this(channels, height, width, ToSteps(values, range))
    {
        if (values.Length != (long)channels * height * width)
            throw new ArgumentException($"A mean image of {channels}×{height}×{width} has {(long)channels * height * width} values, not {values.Length}.", nameof(values));
    }

    /// <summary>C.</summary>
    public int Channels { get; }

    /// <summary>H.</summary>
    public int Height { get; }

    /// <summary>W.</summary>
    public int Width { get; }

    /// <summary>Subtracts a plane of it, scaled so that a full pixel is <paramref name="scale"/>.</summary>
    internal void SubtractFrom(Span<float> plane, int channel, float scale)
    {
        ReadOnlySpan<short> steps = _steps.AsSpan(channel * plane.Length, plane.Length);
        for (int i = 0; i < plane.Length; i++)
            plane[i] -= steps[i] * (scale / Steps);
    }

    /// <summary>As text: the size, then Base64 of the compressed steps from one value to the next of a row.</summary>
    public override string ToString()
    {
        var differences = new byte[2 * _steps.Length];
        for (int i = 0; i < _steps.Length; i++)
            BinaryPrimitives.WriteInt16LittleEndian(differences.AsSpan(2 * i), (short)(_steps[i] - (i % Width == 0 ? 0 : _steps[i - 1])));
        var compressed = new byte[BrotliEncoder.GetMaxCompressedLength(differences.Length)];
        if (!BrotliEncoder.TryCompress(differences, compressed, out int length, quality: 9, window: 22))
            throw new InvalidOperationException("The mean image could not be compressed.");
        return $"{Channels}x{Height}x{Width}:{Convert.ToBase64String(compressed.AsSpan(0, length))}";
    }

    /// <summary>Reads what <see cref="ToString"/> writes.</summary>
    /// <exception cref="FormatException">The text is broken.</exception>
    public static MeanImage Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        int end = text.IndexOf(':');
        int[] size = [.. text[..Math.Max(0, end)].Split('x').Select(t => int.TryParse(t, out int side) && side is > 0 and <= 1 << 14 ? side : 0)];
        if (size.Length != 3 || size.Contains(0) || size[0] > 4 || (long)size[0] * size[1] * size[2] > 1 << 26)
            throw new FormatException("a mean image begins with its size, C×H×W");
        var differences = new byte[2 * size[0] * size[1] * size[2]];
        if (!BrotliDecoder.TryDecompress(Convert.FromBase64String(text[(end + 1)..]), differences, out int written) || written != differences.Length)
            throw new FormatException("the mean image is broken");
        var steps = new short[differences.Length / 2];
        for (int i = 0; i < steps.Length; i++)
            steps[i] = (short)(BinaryPrimitives.ReadInt16LittleEndian(differences.AsSpan(2 * i)) + (i % size[2] == 0 ? 0 : steps[i - 1]));
        return new(size[0], size[1], size[2], steps);
    }

    /// <inheritdoc/>
    public bool Equals(MeanImage? other) => other is not null && (Channels, Height, Width) == (other.Channels, other.Height, other.Width) && _steps.AsSpan().SequenceEqual(other._steps);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as MeanImage);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Channels, Height, Width, _steps[0], _steps[^1]);

    private static short[] ToSteps(ReadOnlySpan<float> values, int range)
    {
        var steps = new short[values.Length];
        for (int i = 0; i < steps.Length; i++)
        {
            float value = MathF.Round(values[i] / range * Steps);
            steps[i] = Math.Abs(value) <= short.MaxValue ? (short)value : throw new ArgumentException($"A mean image holds {values[i]}, which is no pixel's value where a full pixel is {range}.", nameof(values));
        }
        return steps;
    }
}
