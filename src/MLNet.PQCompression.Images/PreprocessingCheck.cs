using System.Collections.Immutable;
using System.Globalization;
using System.Numerics.Tensors;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Images;

/// <summary>Asks a network itself whether its pictures are preprocessed as it was trained: by what it makes of a few of them under the common alternatives.</summary>
/// <remarks>
/// A classifier that sees what it knows is sure of each picture and of different classes for different pictures: the mutual information between picture and class,
/// H(mean of p) − mean of H(p), is high (the logarithm of the Inception score, Salimans et al. 2016). For a featurizer it is the spread of the features' directions:
/// one minus the mean cosine between pictures. Of a network with nodes that have no kernel here the part in front of these is asked. Neither needs labels. Values differ by chance from picture to picture, so only a clear difference counts.
/// </remarks>
public static class PreprocessingCheck
{
    /// <summary>Pictures below which nothing is concluded.</summary>
    public const int LeastImages = 8;

    /// <summary>Pictures that are looked at.</summary>
    public const int MostImages = 16;

    /// <summary>By how many nats a classifier must tell more. Between right and nearly right ones it was seen to differ by 0.04, between the two orders of channels by 0.13 and more.</summary>
    private const double ClearInformation = 0.12;

    /// <summary>By how much the spread of features must be larger.</summary>
    private const double ClearSpread = 0.15;

    /// <summary>Scores a network's outputs on pictures under a preprocessing.</summary>
    /// <param name="Preprocessing">What was done to the pictures.</param>
    /// <param name="Score">The higher, the more the network tells the pictures apart.</param>
    public readonly record struct Alternative(ImagePreprocessing Preprocessing, double Score);

    /// <summary>Compares a preprocessing with the common alternatives to it.</summary>
    /// <param name="model">The network.</param>
    /// <param name="chosen">The preprocessing that is to be used.</param>
    /// <param name="images">Some pictures, of different things; the first <see cref="MostImages"/> are looked at.</param>
    /// <param name="threads">Threads, or 0 for one for each processor.</param>
    /// <param name="cancellationToken">Ends the comparison.</param>
    /// <returns>A warning that names the better one, or what in the model's first nodes speaks against the chosen one; null where none is clearly better, there are too few pictures, or the network cannot be run here.</returns>
    public static string? Run(ModelGraph model, ImagePreprocessing chosen, IReadOnlyList<RgbImage> images, int threads = 0, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(chosen);
        ArgumentNullException.ThrowIfNull(images);
        if (Contradiction(model, chosen) is { } contradiction)
            return contradiction;
        if (images.Count < LeastImages || chosen.Channels is not (3 or 4) || chosen.MeanImage is not null)
            return null;
        try
        {
            model = NativePart.Of(model);
            // First the range, then the order of the channels under the best range: half of the runs that all pairs would take.
            IReadOnlyList<Alternative> ranges = Score(model, [chosen, .. Ranges(chosen)], images, threads, cancellationToken);
            Alternative given = ranges[0], best = ranges.MaxBy(a => a.Score);
            Alternative turned = Score(model, [best.Preprocessing with { Order = Other(best.Preprocessing.Order) }], images, threads, cancellationToken)[0];
            best = turned.Score > best.Score ? turned : best;
            return best.Score > given.Score + (IsClassifier(model) ? ClearInformation : Math.Max(ClearSpread, ClearSpread * given.Score))
                ? FormattableString.Invariant($"the network tells {Math.Min(images.Count, MostImages)} of the images apart much better under another preprocessing ({best.Score:0.00} against {given.Score:0.00}): {best.Preprocessing.Describe()}. It was given {chosen.Describe()}.")
                : null;
        }
        catch (InvalidModelException)
        {
            return null; // said with more words where the model is run
        }
    }

    /// <summary>The largest value of a white pixel where pixels are values about 0 to 1, with a margin for deviations.</summary>
    private const double MostOfUnitRange = 16;

    /// <summary>What the model's first nodes subtract and divide by, where it does not fit what they are given.</summary>
    private static string? Contradiction(ModelGraph model, ImagePreprocessing chosen)
    {
        if (GraphPreprocessing.Of(model) is not { } nodes || nodes.Channels != chosen.Channels)
            return null;
        double white = Enumerable.Range(0, chosen.Channels).Max(c => Math.Abs(chosen.Normalized(255, c)));
        string? expected = nodes.Order is { } order && order != chosen.Order ? $"{order.ToString().ToUpperInvariant()} pixels"
            : nodes.Range is { } range && (range == 255) != (white > MostOfUnitRange) ? $"pixels from 0 to {range}" : null;
        return expected is null ? null
            : $"the model's first nodes ({string.Join(", ", nodes.Nodes)}) have the mean of {expected}: {string.Join(", ", nodes.Means.Select(m => m.ToString("0.###", CultureInfo.InvariantCulture)))}. It was given {chosen.Describe()}.";
    }

    /// <summary>The score of each preprocessing.</summary>
    /// <exception cref="InvalidModelException">The network cannot be run here.</exception>
    public static IReadOnlyList<Alternative> Score(ModelGraph model, IReadOnlyList<ImagePreprocessing> candidates, IReadOnlyList<RgbImage> images, int threads = 0, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(candidates);
        ArgumentNullException.ThrowIfNull(images);
        ImagePreprocessing first = candidates[0];
        byte[][] frames = [.. images.Take(MostImages).Select(i => first.Frame(i).Pixels)];
        using var session = new InferenceSession(model, new() { Threads = threads, InputShape = new(first.Channels, first.Height, first.Width), RequireFinite = false });
        bool classifier = IsClassifier(model), softmax = model.ProducerOf(model.Outputs[0].Name)?.Operator is Softmax;
        var scored = new List<Alternative>();
        float[] input = new float[frames.Length * first.Length], output = new float[frames.Length * session.OutputLength];
        foreach (ImagePreprocessing candidate in candidates)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var normalizer = new PixelNormalizer(candidate);
            for (int i = 0; i < frames.Length; i++)
                normalizer.Normalize(frames[i], input.AsSpan(i * first.Length, first.Length));
            for (int i = 0; i < frames.Length; i++)
                session.Run(input.AsSpan(i * first.Length, first.Length), 1, output.AsSpan(i * session.OutputLength, session.OutputLength));
            double score = !TensorPrimitives.IsFiniteAll<float>(output) ? double.NegativeInfinity : classifier ? Information(output, frames.Length, softmax) : Spread(output, frames.Length);
            scored.Add(new(candidate, score));
        }
        return scored;
    }

    /// <summary>The picture that an input was made of, in the input's size; exact but for rounding.</summary>
    /// <exception cref="ArgumentException">The preprocessing makes no three channels.</exception>
    public static RgbImage Recover(ReadOnlySpan<float> values, ImagePreprocessing preprocessing)
    {
        ArgumentNullException.ThrowIfNull(preprocessing);
        int area = preprocessing.Width * preprocessing.Height;
        if (preprocessing.Channels != 3 || values.Length < preprocessing.Length)
            throw new ArgumentException($"A picture is recovered from 3×{preprocessing.Height}×{preprocessing.Width} values.", nameof(preprocessing));
        var pixels = new byte[3 * area];
        for (int c = 0; c < 3; c++)
        {
            int source = preprocessing.SourceOf(c);
            float std = preprocessing.Std[source], mean = preprocessing.Mean[source], scale = 255f / preprocessing.Range;
            for (int i = 0; i < area; i++)
                pixels[3 * i + source] = (byte)Math.Clamp(MathF.Round((values[c * area + i] * std + mean) * scale), 0, 255);
        }
        return new(preprocessing.Width, preprocessing.Height, pixels);
    }

    /// <summary>The same framing and order with the other common ranges.</summary>
    internal static IEnumerable<ImagePreprocessing> Ranges(ImagePreprocessing chosen)
    {
        ImmutableArray<float> zero = [.. chosen.Mean.Select(_ => 0f)], one = [.. chosen.Std.Select(_ => 1f)], half = [.. chosen.Mean.Select(_ => 0.5f)];
        ImmutableArray<float> mean = ImagePreprocessing.ImageNetMean, std = ImagePreprocessing.ImageNetStd;
        if (chosen.Channels == 4)
            (mean, std) = ([.. mean, 0f], [.. std, 1f]);
        ImagePreprocessing[] ranges =
        [
            chosen with { Range = 1, Mean = mean, Std = std },
            chosen with { Range = 1, Mean = zero, Std = one },
            chosen with { Range = 1, Mean = half, Std = half },
            chosen with { Range = 255, Mean = zero, Std = one },
            chosen with { Range = 255, Mean = [.. mean.Select(m => 255 * m)], Std = one },
        ];
        return ranges.Where(a => a != chosen);
    }

    private static ChannelOrder Other(ChannelOrder order) => order switch
    {
        ChannelOrder.Rgb => ChannelOrder.Bgr,
        ChannelOrder.Bgr => ChannelOrder.Rgb,
        ChannelOrder.Rgba => ChannelOrder.Bgra,
        _ => ChannelOrder.Rgba,
    };

    /// <summary>Whether the output is made by a softmax or a linear layer, or its classes have names.</summary>
    private static bool IsClassifier(ModelGraph model)
    {
        if (ClassNames.FromMetadata(model.Metadata) is not null)
            return true;
        Node? node = model.ProducerOf(model.Outputs[0].Name);
        while (node?.Operator is Reshape or Flatten || node is { Operator: Binary, Inputs: var inputs } && inputs.Any(model.Initializers.ContainsKey))
            node = model.ProducerOf(node!.Inputs.First(i => !model.Initializers.ContainsKey(i)));
        return node?.Operator is Softmax or Gemm or MatMul;
    }

    /// <summary>H(mean of p) − mean of H(p) in nats.</summary>
    private static double Information(float[] output, int images, bool softmax)
    {
        int classes = output.Length / images;
        var mean = new double[classes];
        double own = 0;
        for (int i = 0; i < images; i++)
        {
            double[] p = [.. output.Skip(i * classes).Take(classes).Select(v => (double)v)];
            if (!softmax)
            {
                double top = p.Max();
                p = [.. p.Select(v => Math.Exp(v - top))];
            }
            double sum = p.Sum();
            for (int c = 0; c < classes; c++)
            {
                p[c] /= sum;
                mean[c] += p[c] / images;
            }
            own += Entropy(p) / images;
        }
        return Entropy(mean) - own;
    }

    private static double Entropy(double[] p) => -p.Sum(v => v > 0 ? v * Math.Log(v) : 0);

    /// <summary>One minus the mean cosine between the outputs of two pictures.</summary>
    private static double Spread(float[] output, int images)
    {
        int length = output.Length / images;
        double total = 0;
        for (int i = 0; i < images; i++)
            for (int j = 0; j < i; j++)
                total += 1 - TensorPrimitives.CosineSimilarity(output.AsSpan(i * length, length), output.AsSpan(j * length, length));
        return 2 * total / (images * (images - 1.0));
    }
}
