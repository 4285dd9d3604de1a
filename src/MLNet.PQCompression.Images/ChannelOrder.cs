namespace MLNet.PQCompression.Images;

/// <summary>The order of a model's input planes.</summary>
public enum ChannelOrder
{
    /// <summary>Red, green, blue.</summary>
    Rgb,

    /// <summary>Blue, green, red.</summary>
    Bgr,

    /// <summary>One plane of luma: (19595 R + 38470 G + 7471 B)/65536, rounded.</summary>
    Grey,

    /// <summary>Red, green, blue, and a plane of alpha that is opaque throughout.</summary>
    Rgba,

    /// <summary>Blue, green, red, and a plane of alpha that is opaque throughout.</summary>
    Bgra,
}
