using Microsoft.ML.Data;

namespace MLNet.PQCompression.Views;

/// <summary>Copies between spans and the vectors of ML.NET.</summary>
internal static class VectorCopy
{
    /// <summary>Makes <paramref name="vector"/> a dense copy of <paramref name="values"/>, in its own memory where that is large enough.</summary>
    public static void CopyTo<T>(this ReadOnlySpan<T> values, ref VBuffer<T> vector)
    {
        VBufferEditor<T> editor = VBufferEditor.Create(ref vector, values.Length);
        values.CopyTo(editor.Values);
        vector = editor.Commit();
    }
}
