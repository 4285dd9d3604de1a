namespace MLNet.PQCompression.Numerics;

/// <summary>Makes a matrix symmetric from one of its triangles.</summary>
internal static unsafe class SymmetricMirror
{
    /// <summary>Rows and columns of a block: a cache line of each of few rows, since those of a wide matrix often share the same few sets of the cache.</summary>
    private const int Block = 16;

    /// <summary>h[j, i] = h[i, j] for i below j.</summary>
    public static void UpperToLower(int n, float* h, nint ldh, WorkerPool? pool)
    {
        pool.RunParts((n + Block - 1) / Block, Rows);

        void Rows(int block)
        {
            int rowStart = block * Block, rowEnd = Math.Min(n, rowStart + Block);
            for (int columnStart = 0; columnStart <= rowStart; columnStart += Block)
                for (int i = rowStart; i < rowEnd; i++)
                    for (int j = columnStart; j < Math.Min(i, columnStart + Block); j++)
                        h[i * ldh + j] = h[j * ldh + i];
        }
    }
}
