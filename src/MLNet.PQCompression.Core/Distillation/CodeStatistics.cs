using System.Numerics.Tensors;

namespace MLNet.PQCompression.Distillation;

/// <summary>
/// What the dense gradients of some steps tell about giving a block another codeword: the mean g of the loss's, and from those of drawn labels the Fisher information F of
/// each block, taken as a factor for the row times a d×d matrix for the position in it.
/// </summary>
/// <remarks>
/// A block that moves from c to c' = c + δ changes the loss by about g·δ + ½κ·δᵀFδ. F is the curvature of KL(teacher ‖ student) where the two agree, and the covariance of the
/// gradient of −log q(y) with y drawn from the outputs; a batch of B images has a B-th of one image's. The loss's own gradients would not do: they vanish as the student
/// nears the teacher, and F does not.
/// </remarks>
internal sealed class CodeStatistics
{
    /// <summary>Products of gradients that one step adds at most, about; above, a step looks at some of the rows.</summary>
    private const int ProductsPerStep = 1 << 21;

    private readonly int _rows, _positions, _size;

    /// <summary>Starts with nothing seen.</summary>
    /// <param name="rows">C_out.</param>
    /// <param name="positions">m, the blocks of a row.</param>
    /// <param name="size">d.</param>
    public CodeStatistics(int rows, int positions, int size)
    {
        (_rows, _positions, _size) = (rows, positions, size);
        (Sum, RowSquares, Products) = (new float[rows * positions * size], new float[rows], new float[positions * size * size]);
    }

    /// <summary>The sum of the loss's gradients, [C_out, m, d].</summary>
    public float[] Sum { get; }

    /// <summary>Steps, the loss's squared gradients, and curvature steps: three sums.</summary>
    public float[] Counts { get; } = new float[3];

    /// <summary>The squared gradients of drawn labels, [C_out].</summary>
    public float[] RowSquares { get; }

    /// <summary>Their products ggᵀ at each position over the rows, [m, d, d].</summary>
    public float[] Products { get; }

    /// <summary>Counts a step's gradient of the loss by the decoded weight.</summary>
    /// <param name="gradient">[C_out, m, d].</param>
    public void AddLoss(ReadOnlySpan<float> gradient)
    {
        TensorPrimitives.Add(Sum, gradient, Sum);
        Counts[0]++;
        Counts[1] += TensorPrimitives.SumOfSquares(gradient);
    }

    /// <summary>Counts a gradient of drawn labels.</summary>
    /// <param name="gradient">[C_out, m, d].</param>
    /// <param name="step">The number of the step, which picks the rows where there are too many.</param>
    public void AddDrawn(ReadOnlySpan<float> gradient, long step)
    {
        Counts[2]++;
        int length = _positions * _size, stride = (int)Math.Max(1, (long)gradient.Length * _size / ProductsPerStep);
        for (int o = 0; o < _rows; o++)
        {
            ReadOnlySpan<float> row = gradient.Slice(o * length, length);
            RowSquares[o] += TensorPrimitives.SumOfSquares(row);
            for (int i = 0; o % stride == step % stride && i < length; i++)
            {
                Span<float> products = Products.AsSpan(i * _size, _size);
                TensorPrimitives.MultiplyAdd(row.Slice(i / _size * _size, _size), row[i], products, products);
            }
        }
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        Array.Clear(Sum);
        Array.Clear(Counts);
        Array.Clear(RowSquares);
        Array.Clear(Products);
    }

    /// <summary>In each row the block that gains most by another codeword, if one gains.</summary>
    /// <param name="codebook">[k, d].</param>
    /// <param name="codes">[C_out, m].</param>
    /// <param name="batchSize">B.</param>
    /// <param name="options">κ and how certain a gain must be.</param>
    /// <returns>The changes, with the change of the loss that each is expected to make.</returns>
    public IEnumerable<CodeChange> Propose(ReadOnlySpan<float> codebook, ReadOnlySpan<ushort> codes, int batchSize, ReassignmentOptions options)
    {
        float trace = 0;
        for (int i = 0; i < Products.Length; i++)
            trace += i / _size % _size == i % _size ? Products[i] : 0;
        (float steps, float energy, float drawn) = (Counts[0], Counts[1], Counts[2]);
        if (steps == 0 || !(trace > 0))
            return [];
        // F/B of a block is its row's mean square times its position's matrix of trace 1 over all; the loss's gradient varies as F/B times this ratio.
        float ratio = energy / steps / (RowSquares.Sum() / drawn);
        int k = codebook.Length / _size;
        var best = new float[_rows];
        var (position, code) = (new int[_rows], new ushort[_rows]);
        var (transposed, images) = (new float[_size * k], new float[_size * k]);
        var (norms, change, curvature) = (new float[k], new float[k], new float[k]);
        for (int c = 0; c < k; c++)
            for (int j = 0; j < _size; j++)
                transposed[j * k + c] = codebook[c * _size + j];
        for (int b = 0; b < _positions; b++)
        {
            Project(b, transposed, 1 / trace, images, norms);
            for (int o = 0; o < _rows; o++)
            {
                ushort own = codes[o * _positions + b];
                ReadOnlySpan<float> gradient = Sum.AsSpan((o * _positions + b) * _size, _size), from = codebook.Slice(own * _size, _size);
                // δᵀMδ = c'ᵀMc' − 2cᵀMc' + cᵀMc, and g·δ, for every c' at once.
                TensorPrimitives.Add(norms, norms[own], curvature);
                change.AsSpan().Fill(-TensorPrimitives.Dot(gradient, from) / steps);
                for (int j = 0; j < _size; j++)
                {
                    TensorPrimitives.MultiplyAdd(images.AsSpan(j * k, k), -2 * from[j], curvature, curvature);
                    TensorPrimitives.MultiplyAdd(transposed.AsSpan(j * k, k), gradient[j] / steps, change, change);
                }
                float scale = RowSquares[o] / drawn;
                TensorPrimitives.Max(curvature, 0, curvature);
                TensorPrimitives.MultiplyAdd(curvature, (float)(0.5 * options.Curvature * batchSize) * scale, change, change);
                TensorPrimitives.Sqrt(curvature, curvature);
                TensorPrimitives.MultiplyAdd(curvature, (float)(options.Certainty * Math.Sqrt(scale * ratio / steps)), change, change);
                change[own] = 0;
                int nearest = TensorPrimitives.IndexOfMin<float>(change);
                if (change[nearest] < best[o])
                    (best[o], position[o], code[o]) = (change[nearest], b, (ushort)nearest);
            }
        }
        return Enumerable.Range(0, _rows).Where(o => best[o] < 0).Select(o => new CodeChange(o * _positions + position[o], code[o], best[o]));
    }

    /// <summary>M·c, coordinate after coordinate, and cᵀMc for every codeword c, where M is the position's matrix.</summary>
    private void Project(int position, float[] transposed, float scale, float[] images, float[] norms)
    {
        int k = norms.Length;
        Array.Clear(images);
        Array.Clear(norms);
        for (int i = 0; i < _size; i++)
        {
            Span<float> image = images.AsSpan(i * k, k);
            for (int j = 0; j < _size; j++)
                TensorPrimitives.MultiplyAdd(transposed.AsSpan(j * k, k), scale * Products[(position * _size + i) * _size + j], image, image);
            TensorPrimitives.MultiplyAdd(image, transposed.AsSpan(i * k, k), norms, norms);
        }
    }
}

/// <summary>Another codeword for a block.</summary>
/// <param name="Block">The block, o·m + b.</param>
/// <param name="Code">Its new code.</param>
/// <param name="Loss">What the loss is expected to change by, less the margin for doubt.</param>
internal readonly record struct CodeChange(int Block, ushort Code, float Loss);
