using System.Numerics.Tensors;

namespace MLNet.PQCompression.Distillation;

/// <summary>The gradient of a loss by the codewords of a codebook.</summary>
public static class CodebookGradient
{
    /// <summary>The mean, over the blocks that a codeword stands for, of the gradient by those blocks; zero for a codeword that none uses.</summary>
    /// <param name="denseGradient">The gradient by the decoded weight, block after block.</param>
    /// <param name="codes">The codeword of each block.</param>
    /// <param name="blockSize">d.</param>
    /// <param name="codebookGradient">Receives the k·d values.</param>
    /// <remarks>Equation 5 of the paper: c ← c − η · (1/|J_c|) · Σ over p in J_c of ∂L/∂b_p. The mean, not the sum that the chain rule gives, so that one
    /// learning rate suits codewords of many blocks and of few.</remarks>
    /// <exception cref="ArgumentException">The lengths do not fit each other.</exception>
    public static void Mean(ReadOnlySpan<float> denseGradient, ReadOnlySpan<ushort> codes, int blockSize, Span<float> codebookGradient)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(blockSize);
        if (denseGradient.Length != codes.Length * blockSize)
            throw new ArgumentException($"{codes.Length} blocks of {blockSize} have {codes.Length * blockSize} gradients, not {denseGradient.Length}.", nameof(denseGradient));
        if (codebookGradient.Length % blockSize != 0)
            throw new ArgumentException($"{codebookGradient.Length} values are no codewords of {blockSize}.", nameof(codebookGradient));
        codebookGradient.Clear();
        int[] used = new int[codebookGradient.Length / blockSize];
        for (int i = 0; i < codes.Length; i++)
        {
            Span<float> sum = codebookGradient.Slice(codes[i] * blockSize, blockSize);
            TensorPrimitives.Add(sum, denseGradient.Slice(i * blockSize, blockSize), sum);
            used[codes[i]]++;
        }
        for (int c = 0; c < used.Length; c++)
            if (used[c] > 1)
            {
                Span<float> mean = codebookGradient.Slice(c * blockSize, blockSize);
                TensorPrimitives.Divide(mean, used[c], mean);
            }
    }
}
