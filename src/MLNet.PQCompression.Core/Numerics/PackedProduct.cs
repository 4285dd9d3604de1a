using System.Buffers;

namespace MLNet.PQCompression.Numerics;

/// <summary>
/// A matrix product by packed panels (Goto and van de Geijn, 2008): for each slice of k both operands are copied into panels as wide as the
/// register tile, then tiles of C are computed from panels that stay in the caches.
/// </summary>
/// <remarks>k is cut at places that depend on k alone and never shared among threads, so results do not depend on the number of threads.</remarks>
internal sealed unsafe class PackedProduct<TTile>
    where TTile : struct, IMatrixTile
{
    /// <summary>Steps of k in a slice: a panel of A stays in the first-level cache.</summary>
    private const int DepthBlock = 320;

    /// <summary>Columns of C in a task: a slice of B this wide stays in the second-level cache.</summary>
    private const int ColumnBlock = 512;

    /// <summary>Rows and columns of C for which operands are packed at once, which bounds the memory.</summary>
    private const int RowSuperBlock = 4800, ColumnSuperBlock = 8192;

    /// <summary>Lines packed in one go: rows that run across their panels are read by whole cache lines.</summary>
    private const int LinesTogether = 64;

    private const int Alignment = 64;

    private readonly MatrixOperand _a, _b;
    private readonly float* _c;
    private readonly nint _ldc;
    private readonly bool _upperOnly;
    private float* _packedA, _packedB;
    private float _beta;
    private int _row, _rows, _column, _columns, _depth, _depthCount, _rowBlock, _columnBlock, _columnTasks;

    private PackedProduct(MatrixOperand a, MatrixOperand b, float* c, nint ldc, bool upperOnly)
    {
        _a = a;
        _b = b;
        _c = c;
        _ldc = ldc;
        _upperOnly = upperOnly;
    }

    /// <summary>C = A·B + β·C; with <paramref name="upperOnly"/> at least the part of C on and above the diagonal.</summary>
    public static void Run(int m, int n, int k, MatrixOperand a, MatrixOperand b, float beta, float* c, nint ldc, bool upperOnly, WorkerPool? pool) =>
        new PackedProduct<TTile>(a, b, c, ldc, upperOnly).Run(m, n, k, beta, pool);

    private static int RowsTogether => LinesTogether / TTile.Rows * TTile.Rows;

    private static int ColumnsTogether => LinesTogether / TTile.Columns * TTile.Columns;

    private static int PanelsOf(int count, int width) => (count + width - 1) / width;

    private void Run(int m, int n, int k, float beta, WorkerPool? pool)
    {
        int slices = Math.Max(1, PanelsOf(k, DepthBlock));
        int depth = PanelsOf(k, slices);
        int rowCapacity = PanelsOf(Math.Min(m, RowSuperBlock), TTile.Rows) * TTile.Rows;
        int columnCapacity = PanelsOf(Math.Min(n, ColumnSuperBlock), TTile.Columns) * TTile.Columns;
        int slack = Alignment / sizeof(float);
        float[] bufferA = ArrayPool<float>.Shared.Rent(rowCapacity * depth + slack);
        float[] bufferB = ArrayPool<float>.Shared.Rent(columnCapacity * depth + slack);
        fixed (float* startA = bufferA, startB = bufferB)
        {
            _packedA = Align(startA);
            _packedB = Align(startB);
            for (_column = 0; _column < n; _column += ColumnSuperBlock)
            {
                _columns = Math.Min(ColumnSuperBlock, n - _column);
                for (int slice = 0; slice < slices; slice++)
                {
                    _depth = slice * depth;
                    _depthCount = Math.Min(depth, k - _depth);
                    _beta = slice == 0 ? beta : 1;
                    for (_row = 0; _row < m; _row += RowSuperBlock)
                    {
                        _rows = Math.Min(RowSuperBlock, m - _row);
                        if (!_upperOnly || _row < _column + _columns)
                            RunBlock(packB: _row == 0, pool);
                    }
                }
            }
        }
        ArrayPool<float>.Shared.Return(bufferA);
        ArrayPool<float>.Shared.Return(bufferB);
    }

    private static float* Align(float* p) => (float*)(((nint)p + Alignment - 1) & ~(nint)(Alignment - 1));

    private void RunBlock(bool packB, WorkerPool? pool)
    {
        int panelsA = PanelsOf(_rows, TTile.Rows), panelsB = PanelsOf(_columns, TTile.Columns);
        ChooseTasks(panelsA, panelsB);
        int groupsA = PanelsOf(_rows, RowsTogether), groupsB = packB ? PanelsOf(_columns, ColumnsTogether) : 0;
        Share(groupsA + groupsB, part =>
        {
            if (part < groupsA)
                PackA(part);
            else
                PackB(part - groupsA);
        }, pool);
        _columnTasks = PanelsOf(_columns, _columnBlock);
        Share(PanelsOf(_rows, _rowBlock) * _columnTasks, Compute, pool);
    }

    /// <summary>Tasks as large as the caches like, but at least a few dozen where C is large enough, for the threads to share evenly.</summary>
    private void ChooseTasks(int panelsA, int panelsB)
    {
        int rowPanels = Math.Min(panelsA, Math.Max(1, 120 / TTile.Rows)), columnPanels = Math.Min(panelsB, ColumnBlock / TTile.Columns);
        while (PanelsOf(panelsA, rowPanels) * PanelsOf(panelsB, columnPanels) < 24 && rowPanels * columnPanels > 16)
            if (columnPanels > 4)
                columnPanels = (columnPanels + 1) / 2;
            else
                rowPanels = (rowPanels + 1) / 2;
        _rowBlock = rowPanels * TTile.Rows;
        _columnBlock = columnPanels * TTile.Columns;
    }

    private static void Share(int parts, Action<int> body, WorkerPool? pool)
    {
        if (pool is not null)
            pool.Run(parts, body);
        else
            for (int i = 0; i < parts; i++)
                body(i);
    }

    private void PackA(int group)
    {
        int row = group * RowsTogether;
        _a.Pack(_row + row, Math.Min(RowsTogether, _rows - row), _depth, _depthCount, TTile.Rows, _packedA + (nint)row * _depthCount);
    }

    private void PackB(int group)
    {
        int column = group * ColumnsTogether;
        _b.Pack(_column + column, Math.Min(ColumnsTogether, _columns - column), _depth, _depthCount, TTile.Columns, _packedB + (nint)column * _depthCount);
    }

    private void Compute(int task)
    {
        int rowStart = task / _columnTasks * _rowBlock, rowEnd = Math.Min(rowStart + _rowBlock, _rows);
        int columnStart = task % _columnTasks * _columnBlock, columnEnd = Math.Min(columnStart + _columnBlock, _columns);
        if (_upperOnly && _row + rowStart >= _column + columnEnd)
            return;
        float* edge = stackalloc float[TTile.Rows * TTile.Columns];
        for (int i = rowStart; i < rowEnd; i += TTile.Rows)
        {
            int rows = Math.Min(TTile.Rows, rowEnd - i);
            bool whole = rows % TTile.RowStep == 0;
            for (int j = columnStart; j < columnEnd; j += TTile.Columns)
            {
                if (_upperOnly && _row + i >= _column + j + TTile.Columns)
                    continue;
                int columns = Math.Min(TTile.Columns, columnEnd - j);
                float* a = _packedA + (nint)i * _depthCount, b = _packedB + (nint)j * _depthCount;
                float* c = _c + (_row + i) * _ldc + _column + j;
                if (whole && columns == TTile.Columns)
                {
                    TTile.Multiply(rows, _depthCount, a, b, c, _ldc, _beta);
                    continue;
                }
                TTile.Multiply(rows, _depthCount, a, b, edge, TTile.Columns, 0);
                for (int y = 0; y < rows; y++)
                    for (int x = 0; x < columns; x++)
                    {
                        float* target = c + y * _ldc + x;
                        *target = _beta == 0 ? edge[y * TTile.Columns + x] : _beta * *target + edge[y * TTile.Columns + x];
                    }
            }
        }
    }
}
