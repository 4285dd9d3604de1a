using TorchSharp;

namespace MLNet.PQCompression.TorchSharp;

/// <summary>
/// Numbers as native code takes them. A <see cref="Scalar"/> that nothing holds may be finalized while the native call still reads it, so this project never converts a number to
/// one in passing: constants are here, others are held by a <c>using</c> (a test looks for conversions in the assembly).
/// </summary>
internal static class Scalars
{
    /// <summary>0.</summary>
    public static readonly Scalar Zero = 0f.ToScalar();

    /// <summary>1.</summary>
    public static readonly Scalar One = 1f.ToScalar();

    /// <summary>1 as a whole number: the factor of what is added to tensors of any type. Without it <c>add</c> makes one in passing.</summary>
    public static readonly Scalar Alpha = 1L.ToScalar();

    /// <summary>½.</summary>
    public static readonly Scalar Half = 0.5f.ToScalar();
}
