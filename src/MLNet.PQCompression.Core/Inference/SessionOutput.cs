using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Inference;

/// <summary>An output of a session.</summary>
/// <param name="Name">Its name in the model.</param>
/// <param name="Shape">Its shape for one image; a batch of 1 in front is left out.</param>
public sealed record SessionOutput(string Name, TensorShape Shape)
{
    /// <summary>Values for an image.</summary>
    public int Length => checked((int)Shape.Count);
}
