using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Detectors;

/// <summary>UltraFace and other single-shot detectors before suppression: for each prior box the probabilities of background and classes, and the box as shares of the input's width and height.</summary>
internal sealed class UltraFaceProfile() : DetectionProfile(
    "ultraface", "scores [1×N×(1 + classes)], background first, and boxes [1×N×4] from 0 to 1", LabelNumbering.FromZero, overlap: 0.3)
{
    /// <summary>1, but for rounding.</summary>
    private const float MostProbability = 1.001f;

    public override IReadOnlyList<string> UsualNames => ["face"];

    public override bool Fits(IReadOnlyList<ValueInfo> outputs, int height, int width) => Find([.. outputs.Select(o => (o.Name, o.Shape))]) is not null;

    public override int? Classes(IReadOnlyList<ValueInfo> outputs) => Find([.. outputs.Select(o => (o.Name, o.Shape))]) is { } found ? outputs.First(o => o.Name == found.Scores).Shape[2] - 1 : null;

    public override IReadOnlyList<Candidate> Read(IReadOnlyDictionary<string, Activation> outputs, int height, int width, float leastScore)
    {
        if (Find([.. outputs.Select(o => (o.Key, o.Value.Shape))]) is not { } found || outputs[found.Boxes].Shape[0] != 1)
            throw Refusal(outputs);
        Activation scores = outputs[found.Scores];
        ReadOnlySpan<float> boxes = outputs[found.Boxes].Span;
        int classes = scores.Shape[2];
        if (System.Numerics.Tensors.TensorPrimitives.Max<float>(scores.Span) > MostProbability)
            throw new InvalidModelException($"The profile '{Name}' is for scores that are probabilities; this model's ({found.Scores}) reach {System.Numerics.Tensors.TensorPrimitives.Max<float>(scores.Span):0.0}.");
        var candidates = new List<Candidate>();
        for (int i = 0; i < scores.Shape[1]; i++)
            for (int label = 1; label < classes; label++)
                if (scores.Span[(i * classes) + label] is var score && score >= leastScore)
                    candidates.Add(new(label - 1, score, new(boxes[4 * i] * width, boxes[(4 * i) + 1] * height, boxes[(4 * i) + 2] * width, boxes[(4 * i) + 3] * height)));
        return candidates;
    }

    /// <summary>Two outputs with as many rows, the one with four columns the boxes; where both have four, the name tells.</summary>
    private static (string Scores, string Boxes)? Find((string Name, TensorShape Shape)[] outputs)
    {
        if (outputs.Length != 2 || outputs.Any(o => o.Shape.Rank != 3 || o.Shape[2] < 2) || outputs[0].Shape[1] != outputs[1].Shape[1] || outputs[0].Shape[1] < 0)
            return null;
        (string Name, TensorShape Shape)[] four = [.. outputs.Where(o => o.Shape[2] == 4)];
        if (four.Length == 2)
            four = [.. four.Where(o => o.Name.Contains("box", StringComparison.OrdinalIgnoreCase))];
        return four is [var boxes] ? (outputs.First(o => o.Name != boxes.Name).Name, boxes.Name) : null;
    }
}
