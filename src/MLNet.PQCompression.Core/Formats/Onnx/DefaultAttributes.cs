using MLNet.PQCompression.Formats.Onnx.Schema;

namespace MLNet.PQCompression.Formats.Onnx;

/// <summary>Attributes that say what an operator does without them; exporters write them out, 60 bytes for a convolution.</summary>
internal static class DefaultAttributes
{
    /// <summary>Takes them from a node of ONNX's own domain.</summary>
    public static void Drop(NodeProto node)
    {
        if (node.Domain is "" or "ai.onnx")
            DocumentNames.Keep(node.Attribute, a => !IsDefault(node.OpType, a));
    }

    private static bool IsDefault(string type, AttributeProto attribute)
    {
        string name = attribute.Name;
        bool slides = type is "Conv" or "ConvTranspose" or "MaxPool" or "AveragePool";
        return name switch
        {
            "dilations" or "strides" => slides && attribute.Ints.All(v => v == 1),
            "pads" => slides && attribute.Ints.All(v => v == 0),
            "auto_pad" => slides && attribute.S.ToStringUtf8() == "NOTSET",
            "group" => type is "Conv" or "ConvTranspose" && attribute.I == 1,
            "kernel_shape" => type == "Conv",
            "ceil_mode" or "storage_order" or "count_include_pad" => slides && attribute.I == 0,
            "alpha" or "beta" => type == "Gemm" && attribute.F == 1,
            "transA" or "transB" => type == "Gemm" && attribute.I == 0,
            _ => false,
        };
    }
}
