namespace MLNet.PQCompression.Numerics;

/// <summary>Makes a matrix symmetric from one of its triangles.</summary>
internal static unsafe class SymmetricMirror
{
    private const int Block = 64;

    /// <summary>h[j, i] = h[i, j] for i below j, in blocks that fit the first-level cache.</summary>
    public static void UpperToLower(int n, float* h, nint ldh, WorkerPool? pool)
    {
        int blocks = (n + Block - 1) / Block;
        if (pool is null)
            for (int block = 0; block < blocks; block++)
                Rows(block);
        else
            pool.Run(blocks, Rows);

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
