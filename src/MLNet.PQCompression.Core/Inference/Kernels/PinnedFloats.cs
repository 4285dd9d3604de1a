using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Inference.Kernels;

/// <summary>Room for weights as the kernels read them, at addresses that stay.</summary>
internal static class PinnedFloats
{
    /// <summary>Zeros.</summary>
    /// <exception cref="InvalidModelException">There are more than fit an array.</exception>
    public static float[] Allocate(string layer, long values) => values <= Array.MaxLength
        ? GC.AllocateArray<float>((int)values, pinned: true)
        : throw new InvalidModelException($"The weight of layer '{layer}' takes {values} values as its kernel reads it, more than the {Array.MaxLength} of an array.");
}
