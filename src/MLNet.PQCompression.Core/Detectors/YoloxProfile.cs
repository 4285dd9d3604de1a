using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Detectors;

/// <summary>
/// YOLOX (Ge et al. 2021) as it is exported: for each cell of grids of 8, 16 and 32 pixels the box's centre relative to the cell, the logarithms of its size in cells, how surely there is an object,
/// and of which class. The classes' scores are probabilities already.
/// </summary>
internal sealed class YoloxProfile() : DetectionProfile(
    "yolox", "one output [1×cells×(5 + classes)] with a row for each cell of grids of 8, 16 and 32 pixels", LabelNumbering.FromZero, overlap: 0.65)
{
    private const int BeforeClasses = 5;

    /// <summary>A box may be larger than the input, but not by far.</summary>
    private const double FarBeyond = 100;

    private static readonly int[] Strides = [8, 16, 32];

    public override bool Fits(IReadOnlyList<ValueInfo> outputs, int height, int width) =>
        height > 0 && width > 0 && outputs is [{ Shape: { Rank: 3 } shape }] && shape[2] > BeforeClasses && shape[1] == Cells(height, width);

    public override int? Classes(IReadOnlyList<ValueInfo> outputs) => outputs is [{ Shape: { Rank: 3 } shape }] && shape[2] > BeforeClasses ? shape[2] - BeforeClasses : null;

    public override IReadOnlyList<Candidate> Read(IReadOnlyDictionary<string, Activation> outputs, int height, int width, float leastScore)
    {
        if (outputs.Count != 1 || outputs.Values.Single() is not { Shape: { Rank: 3 } shape } output || shape[0] != 1 || shape[1] != Cells(height, width) || shape[2] <= BeforeClasses)
            throw Refusal(outputs);
        var candidates = new List<Candidate>();
        int cell = 0;
        foreach (int stride in Strides)
            for (int y = 0; y < height / stride; y++)
                for (int x = 0; x < width / stride; x++)
                    if (Candidate(output.Span.Slice(cell++ * shape[2], shape[2]), x, y, stride, leastScore) is { } candidate)
                        candidates.Add(candidate);
        return candidates.Find(c => !(c.Box.Area <= FarBeyond * width * FarBeyond * height)) is null ? candidates
            : throw new InvalidModelException($"The profile '{Name}' is for boxes whose sizes are logarithms in units of cells; those of this model are none: it may give boxes in pixels.");
    }

    private static int Cells(int height, int width) => Strides.Sum(s => height / s * (width / s));

    private static Candidate? Candidate(ReadOnlySpan<float> row, int x, int y, int stride, float leastScore)
    {
        float objectness = row[4];
        if (objectness < leastScore)
            return null;
        ReadOnlySpan<float> classes = row[BeforeClasses..];
        int label = System.Numerics.Tensors.TensorPrimitives.IndexOfMax(classes);
        float score = objectness * classes[label];
        if (score < leastScore)
            return null;
        (double centreX, double centreY, double halfWidth, double halfHeight) = ((row[0] + x) * stride, (row[1] + y) * stride, Math.Exp(row[2]) * stride / 2, Math.Exp(row[3]) * stride / 2);
        return new(label, score, new(centreX - halfWidth, centreY - halfHeight, centreX + halfWidth, centreY + halfHeight));
    }
}
