using System.Numerics.Tensors;

namespace MLNet.PQCompression.Graph;

/// <summary>Codewords as files hold them.</summary>
internal static class Float16Codebook
{
    /// <summary>The smallest magnitude that float16 holds with all its digits, 2⁻¹⁴.</summary>
    private const float SmallestNormal = 1f / 16384;

    /// <summary>The nearest float16 values.</summary>
    /// <exception cref="NotFiniteNumberException">A value is not finite or beyond 65,504, or all but vanish: the largest is below 2⁻¹⁴ and not zero.</exception>
    public static float[] Round(ReadOnlySpan<float> codebook)
    {
        float largest = codebook.IsEmpty ? 0 : Math.Abs(TensorPrimitives.MaxMagnitude(codebook));
        if (!(largest <= (float)Half.MaxValue))
            throw new NotFiniteNumberException($"its codewords reach {largest:G4}; files hold them as float16, which ends at 65504", largest);
        if (largest is > 0 and < SmallestNormal)
            throw new NotFiniteNumberException($"its codewords reach {largest:G4} at most; files hold them as float16, which loses digits below 6.1E-05", largest);
        var rounded = new float[codebook.Length];
        for (int i = 0; i < rounded.Length; i++)
            rounded[i] = (float)(Half)codebook[i];
        return rounded;
    }
}
