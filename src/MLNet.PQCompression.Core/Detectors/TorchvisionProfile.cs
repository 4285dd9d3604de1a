using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Detectors;

/// <summary>Detectors of torchvision (Faster and Mask R-CNN, RetinaNet, SSD, FCOS): lists for one image, as long as there are detections; boxes in pixels of the input.</summary>
internal sealed class TorchvisionProfile() : DetectionProfile(
    "torchvision", "boxes [N×4] in pixels, labels [N], scores [N] and perhaps masks [N×1×h×w], N as many as there are detections", LabelNumbering.Categories, overlap: null)
{
    public override bool Fits(IReadOnlyList<ValueInfo> outputs, int height, int width) => Find(outputs) is not null;

    public override bool HasMasks(IReadOnlyList<ValueInfo> outputs) => Find(outputs)?.Masks is not null;

    public override IReadOnlyList<Candidate> Read(IReadOnlyDictionary<string, Activation> outputs, int height, int width, float leastScore) =>
        (ListedOutputs.Find(outputs, batched: false) ?? throw Refusal(outputs)).Read(outputs, 1, 1, new(0, 0, width, height), leastScore);

    private static ListedOutputs? Find(IReadOnlyList<ValueInfo> outputs) => ListedOutputs.Find(outputs.Select(o => (o.Name, o.Shape, (bool?)null)), batched: false);
}
