using MLNet.PQCompression.Detectors;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Scoring;

/// <summary>Finds objects with one session that all rows, cursors, engines and threads share.</summary>
internal sealed class DetectionScorer(DetectionModel model, InferenceOptions options) : IDisposable
{
    private readonly Shared<Detector> _detector = new(() =>
        new(model.Graph, new(model.Preprocessing.Channels, model.Preprocessing.Height, model.Preprocessing.Width), model.Profile, model.Options, options));

    /// <summary>The detector's network and names.</summary>
    public DetectionModel Model => model;

    /// <summary>What scores, and why.</summary>
    public string Engine
    {
        get
        {
            using Shared<Detector>.Use detector = _detector.Open();
            return detector.Value.Engine;
        }
    }

    /// <summary>Finds the objects in an image.</summary>
    /// <param name="image">C·H·W values, preprocessed.</param>
    /// <param name="placement">Where the image lies in them.</param>
    public IReadOnlyList<Detection> Detect(float[] image, PicturePlacement placement)
    {
        using Shared<Detector>.Use detector = _detector.Open();
        return detector.Value.Detect(image, placement);
    }

    /// <inheritdoc/>
    public void Dispose() => _detector.Dispose();
}
