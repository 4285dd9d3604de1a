using Google.Protobuf;
using MLNet.PQCompression.Formats.Onnx.Schema;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats.Onnx;

/// <summary>
/// Writes models as plain ONNX of standard operators. A <see cref="QuantizedTensor"/> called X.weight becomes <c>X.codebook</c> (float16 [k, d]) and
/// <c>X.codes</c> ([C_out, m]), rebuilt by Cast → Gather → Cast → Reshape; see <see cref="QuantizedWeights"/> for how codes are stored. Codebooks are Constant
/// nodes, everything else that is constant an initializer.
/// </summary>
/// <remarks>
/// Bytes that carry no information are left out: values in between have names of one or two letters, node names that the reader finds again in the
/// weights' names are not written, and constants that are equal are shared. Equal graphs give equal bytes. A SHA-256 over codes and codebooks is in the metadata, and
/// <see cref="OnnxReader"/> holds them to it.
/// </remarks>
public static class OnnxWriter
{
    /// <summary>Writes a file; an existing one is replaced only when the new one is complete. The tensors of a model above 2 GB go into a file of its name and ".data" beside it.</summary>
    /// <exception cref="InvalidModelException">A weight is not finite.</exception>
    /// <exception cref="UnsupportedOperatorException">An operator has no form in the operator set asked for.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The operator set is not 11 to 21.</exception>
    public static void Write(ModelGraph graph, string path, OnnxWriteOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ModelProto model = Build(graph, (options ??= new()).DataFile is null ? options with { DataFile = path + ".data" } : options);
        string partial = path + ".partial";
        try
        {
            using (FileStream stream = File.Create(partial))
                model.WriteTo(stream);
            File.Move(partial, path, overwrite: true);
        }
        finally
        {
            File.Delete(partial);
        }
    }

    /// <summary>Writes to a stream.</summary>
    /// <exception cref="InvalidModelException">A weight is not finite, or the model is too large for one file and the options name none beside it.</exception>
    /// <exception cref="UnsupportedOperatorException">An operator has no form in the operator set asked for.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The operator set is not 11 to 21.</exception>
    public static void Write(ModelGraph graph, Stream stream, OnnxWriteOptions? options = null) =>
        Build(graph, options ?? new()).WriteTo(stream);

    /// <summary>The bytes that <see cref="Write(ModelGraph, Stream, OnnxWriteOptions?)"/> writes.</summary>
    /// <exception cref="UnsupportedOperatorException">An operator has no form in the operator set asked for.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The operator set is not 11 to 21.</exception>
    public static long Size(ModelGraph graph, OnnxWriteOptions? options = null) =>
        ExternalTensors.SizeOf(OnnxModelBuilder.Build(graph, options ?? new()));

    private static ModelProto Build(ModelGraph graph, OnnxWriteOptions options)
    {
        ModelProto model = OnnxModelBuilder.Build(graph, options);
        if (ExternalTensors.SizeOf(model) is var bytes && bytes > options.MaxFileBytes)
            ExternalTensors.MoveOut(model, options.DataFile ?? throw new InvalidModelException(
                $"Model '{graph.Name}' takes {bytes} bytes, more than the {options.MaxFileBytes} of one ONNX file; name a file for its tensors ({nameof(OnnxWriteOptions)}.{nameof(OnnxWriteOptions.DataFile)})."));
        return model;
    }
}
