namespace MLNet.PQCompression.Saving;

/// <summary>The columns inside a saved chain. They are dropped at its end, and named so that no data has them.</summary>
internal static class InnerColumns
{
    /// <summary>The image column under a fixed name, as a loaded custom mapping knows no other.</summary>
    public const string Image = "__pq.image";

    /// <summary>The constant by which the network is looked up.</summary>
    public const string Key = "__pq.key";

    /// <summary>The network as text.</summary>
    public const string Model = "__pq.model";

    /// <summary>All outputs one behind the other, where there are several.</summary>
    public const string Row = "__pq.row";

    /// <summary>The name of the predicted class.</summary>
    public const string Class = "__pq.class";
}
