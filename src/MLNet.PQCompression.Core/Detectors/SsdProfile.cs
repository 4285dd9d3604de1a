using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Detectors;

/// <summary>Single-shot detectors as the ONNX model zoo has them: lists behind a batch of 1; boxes as shares of the input's width and height.</summary>
internal sealed class SsdProfile() : DetectionProfile(
    "ssd", "boxes [1×N×4] from 0 to 1, labels [1×N] and scores [1×N]", LabelNumbering.FromOne, overlap: null)
{
    /// <summary>A box may reach over the edge, but not by far.</summary>
    private const double FarBeyond = 4;

    public override bool Fits(IReadOnlyList<ValueInfo> outputs, int height, int width) => ListedOutputs.Find(outputs.Select(o => (o.Name, o.Shape, (bool?)null)), batched: true) is not null;

    public override IReadOnlyList<Candidate> Read(IReadOnlyDictionary<string, Activation> outputs, int height, int width, float leastScore)
    {
        IReadOnlyList<Candidate> candidates = (ListedOutputs.Find(outputs, batched: true) ?? throw Refusal(outputs)).Read(outputs, width, height, new(0, 0, width, height), leastScore);
        return candidates.FirstOrDefault(c => c.Box.Right > FarBeyond * width || c.Box.Bottom > FarBeyond * height) is not { } far ? candidates
            : throw new InvalidModelException($"The profile '{Name}' is for boxes from 0 to 1, shares of the input; this model's reach {Math.Max(far.Box.Right / width, far.Box.Bottom / height):0}.");
    }
}
