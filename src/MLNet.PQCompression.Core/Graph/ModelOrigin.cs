namespace MLNet.PQCompression.Graph;

/// <summary>
/// Where a graph comes from, in the form of its own format, so that what the graph does not say is kept when it is written back: types of inputs and outputs, operator sets, foreign nodes.
/// </summary>
public abstract class ModelOrigin
{
    private protected ModelOrigin() { }

    /// <summary>The number of images that foreign nodes take at once, or null where they take any.</summary>
    public abstract int? FixedBatch { get; }
}
