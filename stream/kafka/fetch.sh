#!/usr/bin/env bash
# Downloads the Kafka broker that `make test-kafka` runs, once, and prints the
# folder of its jars. It needs Maven. They go into no binary.
#
# The checksum below is over all jars. TEST_KAFKA_JARS names a folder of your own
# instead. With -n nothing is downloaded, and what is not there is not printed.
set -euo pipefail
export LC_ALL=C # the order of the jars

version=4.4.0
plugin=org.apache.maven.plugins:maven-dependency-plugin:3.8.1
sum=192ed2973caff5b47d251ea60978679acef103100b4c12d185150911c66339fd
cache=${XDG_CACHE_HOME:-$HOME/.cache}/staunch/kafka-$version

if [ -n "${TEST_KAFKA_JARS:-}" ]; then echo "$TEST_KAFKA_JARS"; exit; fi
if [ "${1:-}" = -n ]; then [ ! -d "$cache" ] || echo "$cache"; exit; fi
if [ ! -d "$cache" ]; then
	mkdir -p "$(dirname "$cache")"
	work=$(mktemp -d "$cache.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	# kafka-tools-api is a dependency on paper that nobody publishes.
	cat >"$work/pom.xml" <<-END
		<project xmlns="http://maven.apache.org/POM/4.0.0">
		  <modelVersion>4.0.0</modelVersion>
		  <groupId>com.github.staunchid.staunch</groupId>
		  <artifactId>broker</artifactId>
		  <version>1</version>
		  <packaging>pom</packaging>
		  <dependencies>
		    <dependency>
		      <groupId>org.apache.kafka</groupId>
		      <artifactId>kafka_2.13</artifactId>
		      <version>$version</version>
		      <exclusions>
		        <exclusion><groupId>org.apache.kafka</groupId><artifactId>kafka-tools-api</artifactId></exclusion>
		      </exclusions>
		    </dependency>
		  </dependencies>
		</project>
	END
	mvn -q -B -Dstyle.color=never -f "$work/pom.xml" "$plugin:copy-dependencies" -DincludeScope=runtime -DoutputDirectory="$work/jars" >&2
	if [ "$(cd "$work/jars" && sha256sum -- *.jar | sha256sum | cut -d' ' -f1)" != "$sum" ]; then
		echo "fetch.sh: the jars are not those that this script knows; they are thrown away" >&2
		exit 1
	fi
	mv "$work/jars" "$cache"
fi
echo "$cache"
