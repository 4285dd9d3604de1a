namespace MLNet.PQCompression.Graph;

/// <summary>The element type in which a dense tensor came from, or goes to, a file. In memory it is always float32.</summary>
public enum StorageType
{
    /// <summary>IEEE 754 binary32.</summary>
    Float32,

    /// <summary>IEEE 754 binary16.</summary>
    Float16,

    /// <summary>bfloat16.</summary>
    BFloat16,

    /// <summary>IEEE 754 binary64.</summary>
    Float64,
}
